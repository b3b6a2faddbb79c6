//! The account: every operation there is at a moment, found by id or walked from the newest to the oldest.
//!
//! Generated operations come from [`OperationStream`]s and take no memory. Those that were put in by a test or sent by a
//! client are kept, and stand before a generated one of the same id.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use serde_json::Value;

use crate::timestamp::Timestamp;

use super::creation_filter::CreationFilter;
use super::id::{CHANCE_BITS, OperationPosition, operation_text};
use super::life::{Origin, Spec};
use super::pace::Pace;
use super::random::mix;
use super::settings::WorldSettings;
use super::stream::{OperationStream, millis, small};

/// The most operations kept that were put or sent; the oldest give way. A few hundred bytes each.
const MOST_KEPT: usize = 100_000;

/// Tags of a send, which sit on each of its emails.
pub(super) type Tags = BTreeMap<String, String>;

/// One operation as the account knows it.
#[derive(Debug, Clone)]
pub(super) enum Item {
    /// Lives by its spec.
    Living {
        position: OperationPosition,
        spec: Spec,
        tags: Option<Arc<Tags>>,
    },
    /// Stands as a test has put it.
    Scripted(Arc<Value>),
}

impl Item {
    /// Its id, where it has one.
    pub(super) fn id(&self) -> Option<String> {
        match self {
            Self::Living { position, .. } => {
                Some(operation_text(position.created, position.chance))
            }
            Self::Scripted(value) => value.get("id").and_then(Value::as_str).map(str::to_owned),
        }
    }
}

/// The account.
#[derive(Debug)]
pub(super) struct World {
    pub(super) pace: Pace,
    seed: u64,
    retention: i64,
    streams: Vec<OperationStream>,
    kept: Mutex<Kept>,
}

/// What was put in from outside.
#[derive(Debug, Default)]
struct Kept {
    items: BTreeMap<OperationPosition, Item>,
    by_id: HashMap<String, OperationPosition>,
    /// Generated operations that were removed or replaced.
    hidden: HashSet<OperationPosition>,
    /// Gives every addition a chance of its own.
    additions: u64,
}

impl World {
    pub(super) fn new(settings: &WorldSettings, now: Timestamp) -> Self {
        let pace = Pace::new(settings.speed);
        Self {
            pace,
            seed: settings.seed,
            retention: millis(settings.retention),
            streams: OperationStream::all(settings, pace, now.as_millis()),
            kept: Mutex::default(),
        }
    }

    /// The operation with this id, if it is not too old to be known.
    pub(super) fn find(&self, id: &str, now: Timestamp) -> Option<Item> {
        let kept = self.kept();
        let (position, item) = if let Some(position) = kept.by_id.get(id) {
            (*position, kept.items.get(position)?.clone())
        } else {
            let position = OperationPosition::of(id)?;
            if kept.hidden.contains(&position) || position.created > now.as_millis() {
                return None;
            }
            let mut streams = self.streams.iter();
            let spec = streams.find_map(|stream| Some(stream.spec(stream.find(position)?)))?;
            (position, living(position, spec))
        };
        (position.created > self.oldest(now)).then_some(item)
    }

    /// The operations of `window`, newest first.
    pub(super) fn walk(&self, window: &CreationFilter, now: Timestamp) -> Walk<'_> {
        let oldest = self.oldest(now).saturating_add(1);
        let until = window.until.map_or(i64::MAX, Timestamp::as_millis);
        let newest = |created| OperationPosition {
            created,
            chance: u128::MAX,
        };
        let (after, inclusive) = window.after.unwrap_or((newest(i64::MAX), true));
        let mut walk = Walk {
            streams: &self.streams,
            heads: Vec::with_capacity(self.streams.len()),
            kept: self.kept(),
            kept_before: after.min(newest(until)),
            inclusive,
            from: window
                .from
                .map_or(oldest, |from| oldest.max(from.as_millis())),
        };
        for stream in &self.streams {
            let until = now.as_millis().min(until).min(after.created);
            let mut head = stream.count(until).checked_sub(1);
            while let Some(index) = head {
                let position = stream.position(index);
                if position < after || inclusive && position == after {
                    break;
                }
                head = index.checked_sub(1);
            }
            let head = head.map(|index| (stream.position(index), index));
            walk.heads.push(head);
        }
        walk
    }

    /// Adds a send of `emails` emails that starts now, or waits until `scheduled`; gives its id.
    pub(super) fn send(
        &self,
        emails: u32,
        scheduled: Option<Timestamp>,
        tags: Tags,
        now: Timestamp,
    ) -> String {
        let mut kept = self.kept();
        let position = kept.new_position(self.seed, now.as_millis());
        let seed = mix(self.seed, kept.additions);
        let mut spec = small(self.pace, Origin::Sent, position.created, emails, seed);
        if let Some(scheduled) = scheduled.map(Timestamp::as_millis) {
            let span = spec.ends - spec.begins;
            spec.begins = scheduled.max(spec.created);
            spec.ends = spec.begins.saturating_add(span);
            spec.scheduled = true;
        }
        let id = operation_text(position.created, position.chance);
        let item = Item::Living {
            position,
            spec,
            tags: (!tags.is_empty()).then(|| Arc::new(tags)),
        };
        kept.insert(Some(&id), position, item);
        id
    }

    /// Adds or replaces an operation that is shown exactly as `value`.
    pub(super) fn put(&self, value: Value, now: Timestamp) {
        let id = value.get("id").and_then(Value::as_str).map(str::to_owned);
        let mut kept = self.kept();
        let by_id = id.as_deref().and_then(OperationPosition::of);
        let created = value.get("createdAt").and_then(Value::as_str);
        let created = created.and_then(|text| text.parse::<Timestamp>().ok());
        let created = created
            .map(Timestamp::as_millis)
            .or(by_id.map(|position| position.created))
            .unwrap_or(now.as_millis());
        let mut position = kept.new_position(self.seed, created);
        if let Some(by_id) = by_id {
            kept.hidden.insert(by_id);
            position.chance = by_id.chance;
        }
        kept.insert(id.as_deref(), position, Item::Scripted(Arc::new(value)));
    }

    /// Forgets an operation, whatever it came from; tells whether there was one.
    pub(super) fn remove(&self, id: &str, now: Timestamp) -> bool {
        let known = self.find(id, now).is_some();
        let mut kept = self.kept();
        if let Some(position) = kept.by_id.remove(id) {
            kept.items.remove(&position);
        }
        kept.hidden.extend(OperationPosition::of(id));
        known
    }

    /// Forgets everything that was put, sent or removed.
    pub(super) fn clear(&self) {
        let mut kept = self.kept();
        let additions = kept.additions;
        *kept = Kept {
            additions,
            ..Kept::default()
        };
    }

    /// The last moment of creation that has already expired.
    fn oldest(&self, now: Timestamp) -> i64 {
        now.as_millis().saturating_sub(self.retention)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock()
    }
}

impl Kept {
    fn new_position(&mut self, seed: u64, created: i64) -> OperationPosition {
        self.additions += 1;
        let chance = u128::from(mix(seed ^ 4, self.additions)) << 64
            | u128::from(mix(seed ^ 5, self.additions));
        OperationPosition {
            created,
            chance: chance & ((1 << CHANCE_BITS) - 1),
        }
    }

    fn insert(&mut self, id: Option<&str>, position: OperationPosition, item: Item) {
        if let Some(id) = id
            && let Some(old) = self.by_id.insert(id.to_owned(), position)
        {
            self.items.remove(&old);
        }
        self.items.insert(position, item);
        if self.items.len() > MOST_KEPT
            && let Some((_, item)) = self.items.pop_first()
            && let Some(id) = item.id()
        {
            self.by_id.remove(&id);
        }
    }
}

fn living(position: OperationPosition, spec: Spec) -> Item {
    Item::Living {
        position,
        spec,
        tags: None,
    }
}

/// Operations from the newest to the oldest. Holds the lock on what was put, so it must not outlive a request.
pub(super) struct Walk<'a> {
    streams: &'a [OperationStream],
    /// The newest operation of each stream that has not been given yet.
    heads: Vec<Option<(OperationPosition, u64)>>,
    kept: MutexGuard<'a, Kept>,
    kept_before: OperationPosition,
    inclusive: bool,
    from: i64,
}

impl Walk<'_> {
    fn next_kept(&self) -> Option<OperationPosition> {
        let mut range = if self.inclusive {
            self.kept.items.range(..=self.kept_before)
        } else {
            self.kept.items.range(..self.kept_before)
        };
        range.next_back().map(|(position, _)| *position)
    }

    fn next_generated(&self) -> Option<(usize, OperationPosition, u64)> {
        let heads = self.heads.iter().enumerate();
        heads
            .filter_map(|(at, head)| head.map(|(position, index)| (at, position, index)))
            .max_by_key(|(_, position, _)| *position)
    }
}

impl Iterator for Walk<'_> {
    type Item = (OperationPosition, Item);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let kept = self.next_kept();
            let generated = self.next_generated();
            if let Some(position) = kept
                && generated.is_none_or(|(_, other, _)| position >= other)
            {
                (self.kept_before, self.inclusive) = (position, false);
                let item = self.kept.items.get(&position)?.clone();
                return (position.created >= self.from).then_some((position, item));
            }
            let (at, position, index) = generated?;
            if position.created < self.from {
                return None;
            }
            let stream = &self.streams[at];
            self.heads[at] = index
                .checked_sub(1)
                .map(|index| (stream.position(index), index));
            if !self.kept.hidden.contains(&position) {
                return Some((position, living(position, stream.spec(index))));
            }
        }
    }
}
