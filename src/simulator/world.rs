//! The account: finds an operation by id, and iterates over operations from the newest to the oldest.
//!
//! Generated operations come from [`OperationStream`]s and use no memory. Operations that a test added or a client sent are stored;
//! they replace a generated one with the same id.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use serde_json::Value;

use crate::timestamp::Timestamp;

use super::creation_filter::CreationFilter;
use super::id::{CHANCE_BITS, OperationPosition, operation_text};
use super::life::{Origin, Spec};
use super::pace::{Outage, Pace};
use super::random::mix;
use super::scripted_email::ScriptedEmail;
use super::settings::WorldSettings;
use super::stream::{OperationStream, millis, small};

/// The most stored operations; beyond it the oldest is removed. Each uses a few hundred bytes.
const MOST_STORED: usize = 100_000;

/// The tags of a send, which each of its emails has.
pub(super) type SendTags = BTreeMap<String, String>;

/// One operation of the account.
#[derive(Debug, Clone)]
pub(super) enum Item {
    /// Computed from its spec.
    Generated {
        position: OperationPosition,
        spec: Spec,
        tags: Option<Arc<SendTags>>,
    },
    /// Added by a test, returned unchanged.
    Scripted {
        value: Arc<Value>,
        /// Its emails; `None`: as many as its stats say.
        emails: Option<Arc<[ScriptedEmail]>>,
    },
}

impl Item {
    /// Its id, if it has one.
    pub(super) fn id(&self) -> Option<String> {
        match self {
            Self::Generated { position, .. } => {
                Some(operation_text(position.created, position.chance))
            }
            Self::Scripted { value, .. } => {
                value.get("id").and_then(Value::as_str).map(str::to_owned)
            }
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
    /// The interval between inbound emails, in milliseconds.
    pub(super) inbound_every: Option<i64>,
    tracks_opens: bool,
    stored: Mutex<Stored>,
}

/// The operations that were added or sent, and the generated ones that were removed.
#[derive(Debug, Default)]
struct Stored {
    items: BTreeMap<OperationPosition, Item>,
    by_id: HashMap<String, OperationPosition>,
    /// The emails that a test has specified for added operations.
    emails: HashMap<String, Arc<[ScriptedEmail]>>,
    /// Generated operations that were removed or replaced.
    hidden: HashSet<OperationPosition>,
    /// The number of additions so far; it makes each id unique.
    additions: u64,
}

impl World {
    pub(super) fn new(settings: &WorldSettings, now: Timestamp) -> Self {
        let mut pace = Pace::new(settings.speed);
        let streams = OperationStream::all(settings, pace, now.as_millis());
        let at = |after| now.as_millis().saturating_add(pace.millis(after));
        pace.outage = settings.mailboxes.map(|mailboxes| Outage {
            defers_at: at(mailboxes.defers_after),
            rejects_at: at(mailboxes.rejects_after),
        });
        Self {
            pace,
            seed: settings.seed,
            retention: millis(settings.retention),
            streams,
            inbound_every: settings.inbound_every.map(|every| millis(every).max(1)),
            tracks_opens: settings.tracks_opens,
            stored: Mutex::default(),
        }
    }

    /// The operation with this id, unless it expired.
    pub(super) fn find(&self, id: &str, now: Timestamp) -> Option<Item> {
        let stored = self.stored();
        let (position, item) = if let Some(position) = stored.by_id.get(id) {
            (*position, stored.items.get(position)?.clone())
        } else {
            let position = OperationPosition::of(id)?;
            if stored.hidden.contains(&position) || position.created > now.as_millis() {
                return None;
            }
            let mut streams = self.streams.iter();
            let spec = streams.find_map(|stream| Some(stream.spec(stream.find(position)?)))?;
            (position, generated_item(position, spec))
        };
        (position.created > self.oldest(now)).then_some(item)
    }

    /// The operations that `window` selects, newest first.
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
            stored: self.stored(),
            stored_before: after.min(newest(until)),
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

    /// Adds a send of `emails` emails that starts now or at `scheduled`. Returns its id.
    pub(super) fn send(
        &self,
        emails: u32,
        scheduled: Option<Timestamp>,
        tags: SendTags,
        now: Timestamp,
    ) -> String {
        let mut stored = self.stored();
        let position = stored.new_position(self.seed, now.as_millis());
        let seed = mix(self.seed, stored.additions);
        let mut spec = small(self.pace, Origin::Sent, position.created, emails, seed);
        if !self.tracks_opens {
            spec.opening = 0.0;
        }
        if let Some(scheduled) = scheduled.map(Timestamp::as_millis) {
            let span = spec.ends - spec.begins;
            spec.begins = scheduled.max(spec.created);
            spec.ends = spec.begins.saturating_add(span);
            spec.scheduled = true;
        }
        let id = operation_text(position.created, position.chance);
        let item = Item::Generated {
            position,
            spec,
            tags: (!tags.is_empty()).then(|| Arc::new(tags)),
        };
        stored.insert(Some(&id), position, item);
        id
    }

    /// Adds or replaces an operation that is returned exactly as `value`.
    pub(super) fn put(&self, value: Value, now: Timestamp) {
        let id = value.get("id").and_then(Value::as_str).map(str::to_owned);
        let mut stored = self.stored();
        let by_id = id.as_deref().and_then(OperationPosition::of);
        let created = value.get("createdAt").and_then(Value::as_str);
        let created = created.and_then(|text| text.parse::<Timestamp>().ok());
        let created = created
            .map(Timestamp::as_millis)
            .or(by_id.map(|position| position.created))
            .unwrap_or(now.as_millis());
        let mut position = stored.new_position(self.seed, created);
        if let Some(by_id) = by_id {
            stored.hidden.insert(by_id);
            position.chance = by_id.chance;
        }
        let emails = id.as_ref().and_then(|id| stored.emails.get(id)).cloned();
        let value = Arc::new(value);
        let item = Item::Scripted { value, emails };
        stored.insert(id.as_deref(), position, item);
    }

    /// Replaces the emails of an operation that a test adds or has added.
    pub(super) fn put_emails(&self, id: String, emails: Vec<ScriptedEmail>) {
        let mut stored = self.stored();
        let all: Arc<[ScriptedEmail]> = emails.into();
        if let Some(position) = stored.by_id.get(&id).copied()
            && let Some(Item::Scripted { emails, .. }) = stored.items.get_mut(&position)
        {
            *emails = Some(Arc::clone(&all));
        }
        stored.emails.insert(id, all);
    }

    /// Removes an operation of any kind. Returns whether it existed.
    pub(super) fn remove(&self, id: &str, now: Timestamp) -> bool {
        let known = self.find(id, now).is_some();
        let mut stored = self.stored();
        if let Some(position) = stored.by_id.remove(id) {
            stored.items.remove(&position);
        }
        stored.hidden.extend(OperationPosition::of(id));
        known
    }

    /// Undoes all additions, sends and removals.
    pub(super) fn clear(&self) {
        let mut stored = self.stored();
        let additions = stored.additions;
        *stored = Stored {
            additions,
            ..Stored::default()
        };
    }

    /// The latest creation time that has expired.
    pub(super) fn oldest(&self, now: Timestamp) -> i64 {
        now.as_millis().saturating_sub(self.retention)
    }

    fn stored(&self) -> MutexGuard<'_, Stored> {
        self.stored.lock()
    }
}

impl Stored {
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
        if self.items.len() > MOST_STORED
            && let Some((_, item)) = self.items.pop_first()
            && let Some(id) = item.id()
        {
            self.by_id.remove(&id);
        }
    }
}

fn generated_item(position: OperationPosition, spec: Spec) -> Item {
    Item::Generated {
        position,
        spec,
        tags: None,
    }
}

/// An iterator over operations from the newest to the oldest. It locks the stored operations, so it must not outlive a request.
pub(super) struct Walk<'a> {
    streams: &'a [OperationStream],
    /// The next operation of each stream.
    heads: Vec<Option<(OperationPosition, u64)>>,
    stored: MutexGuard<'a, Stored>,
    stored_before: OperationPosition,
    inclusive: bool,
    from: i64,
}

impl Walk<'_> {
    fn next_stored(&self) -> Option<OperationPosition> {
        let mut range = if self.inclusive {
            self.stored.items.range(..=self.stored_before)
        } else {
            self.stored.items.range(..self.stored_before)
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
            let stored = self.next_stored();
            let generated = self.next_generated();
            if let Some(position) = stored
                && generated.is_none_or(|(_, other, _)| position >= other)
            {
                (self.stored_before, self.inclusive) = (position, false);
                let item = self.stored.items.get(&position)?.clone();
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
            if !self.stored.hidden.contains(&position) {
                return Some((position, generated_item(position, stream.spec(index))));
            }
        }
    }
}
