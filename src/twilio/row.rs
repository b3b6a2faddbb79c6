//! One operation of an answer: what of it can be used, and whether it is an answer about its operation at all.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::value::RawValue;

use super::resource::{Resource, Row};
use super::scan;
use super::stat_value::StatValue;
use crate::exposition::Endpoint;
use crate::operation::{
    Operation, OperationId, OperationState, RETENTION, ResponseField, Stat, Stats, Unexpected, Word,
};
use crate::timestamp::Timestamp;

/// Unknown stats that are kept of one operation; Twilio would have to double its vocabulary to reach it.
const UNKNOWN_STATS: usize = 16;
/// `createdAt` has whole seconds and may be written a little after the id was made. Further apart, one of them is wrong, and it is
/// not the id: that names the operation.
const SAME_DAY: Duration = Duration::from_hours(24);

impl Resource for Operation {
    type Id = OperationId;

    const PATH: &'static [&'static str] = &["Emails", "Operations"];
    const KEYS: &'static [&'static str] = &["operations", "data"];
    const ENDPOINT: Endpoint = Endpoint::Operations;

    fn read(row: &[u8], unexpected: &mut Unexpected) -> Row<Self> {
        read(row, unexpected)
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn status(&self) -> &str {
        self.state.as_str()
    }
}

/// Reads one row. What is odd in it and costs only itself is noted in `unexpected`.
pub(super) fn read(json: &[u8], unexpected: &mut Unexpected) -> Row<Operation> {
    let Some(fields) = Fields::of(json) else {
        return Row::Unreadable;
    };
    let text = |value: &[u8]| text(std::str::from_utf8(value).ok()?).map(Cow::into_owned);
    let Some(id) = fields.id.and_then(text).and_then(|id| id.parse().ok()) else {
        return Row::Unreadable;
    };
    // The scan follows brackets and quotes alone; whether the row is JSON at all, a parser says.
    if serde_json::from_slice::<&RawValue>(json).is_err() {
        return Row::Rejected(id, "a row that is no JSON");
    }
    let Some(state) = fields.status.and_then(text) else {
        return Row::Rejected(id, "an operation without a `status`");
    };
    let stats = match fields.stats.map(|json| stats(json, unexpected)) {
        Some(Ok(stats)) => stats,
        Some(Err(why)) => return Row::Rejected(id, why),
        None => return Row::Rejected(id, "an operation without `stats`"),
    };
    let state = OperationState::parse(&state);
    if state.is_unreadable() {
        unexpected.note(ResponseField::Status);
    }
    let created = created(fields.created_at, id, unexpected);
    let updated = updated(fields.updated_at, created, unexpected);
    Row::Read(Operation {
        id,
        state,
        stats,
        created,
        updated,
    })
}

/// The fields that matter, as they are written.
#[derive(Default)]
struct Fields<'a> {
    id: Option<&'a [u8]>,
    status: Option<&'a [u8]>,
    stats: Option<&'a [u8]>,
    created_at: Option<&'a [u8]>,
    updated_at: Option<&'a [u8]>,
}

impl<'a> Fields<'a> {
    /// Of a field that stands twice, the last one counts, as in most readers of JSON.
    fn of(json: &'a [u8]) -> Option<Self> {
        let mut fields = Self::default();
        scan::members(json, |key, value| {
            let field = match key {
                b"id" => &mut fields.id,
                b"status" => &mut fields.status,
                b"stats" => &mut fields.stats,
                b"createdAt" => &mut fields.created_at,
                b"updatedAt" => &mut fields.updated_at,
                _ => return,
            };
            *field = Some(&json[value]);
        })?;
        Some(fields)
    }
}

/// The text that `json` is, if it is a text.
fn text(json: &str) -> Option<Cow<'_, str>> {
    let plain = json.strip_prefix('"')?.strip_suffix('"')?;
    if plain.contains('\\') {
        serde_json::from_str(json).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(plain))
    }
}

/// The time that `json` tells: `Ok(None)` where it is not given, an error where it is none.
fn time(json: Option<&[u8]>) -> Result<Option<Timestamp>, ()> {
    let json = json.and_then(|json| std::str::from_utf8(json).ok());
    match json {
        None | Some("null") => Ok(None),
        Some(json) => {
            let time = text(json).and_then(|text| text.trim().parse().ok());
            time.map(Some).ok_or(())
        }
    }
}

/// `createdAt`, unless it contradicts the time in the id.
fn created(json: Option<&[u8]>, id: OperationId, unexpected: &mut Unexpected) -> Timestamp {
    let told = id.created();
    let is_near =
        |given: &Timestamp| given.since(told) <= SAME_DAY && told.since(*given) <= SAME_DAY;
    match time(json) {
        Ok(None) => told,
        Ok(Some(given)) if is_near(&given) => given,
        _ => {
            unexpected.note(ResponseField::CreatedAt);
            told
        }
    }
}

/// `updatedAt`, unless the operation cannot have changed then: before its creation, or after Twilio has stopped keeping it.
fn updated(
    json: Option<&[u8]>,
    created: Timestamp,
    unexpected: &mut Unexpected,
) -> Option<Timestamp> {
    let can_be =
        |given: &Timestamp| (created - SAME_DAY..=created + RETENTION + SAME_DAY).contains(given);
    let given = time(json);
    let updated = given.ok().flatten().filter(can_be);
    if updated.is_none() && given != Ok(None) {
        unexpected.note(ResponseField::UpdatedAt);
    }
    updated
}

/// The stats of an operation, or why they are none.
fn stats(json: &[u8], unexpected: &mut Unexpected) -> Result<Stats, &'static str> {
    let mut reading = StatsReader::default();
    let read = scan::members(json, |name, value| {
        let value = std::str::from_utf8(&json[value]).unwrap_or_default();
        reading.take(name, value, unexpected);
    });
    read.ok_or("`stats` that are no object")?;
    if reading.is_impossible {
        return Err("a stat that is no possible count");
    }
    if reading.is_empty {
        return Err("`stats` without a count");
    }
    let stats = reading.into_stats(unexpected);
    match stats.contradiction() {
        Some(why) => Err(why),
        None => Ok(stats),
    }
}

/// Stats as far as they have been read.
struct StatsReader {
    stats: Stats,
    unknown: Vec<(Word, u32)>,
    is_empty: bool,
    is_impossible: bool,
}

impl Default for StatsReader {
    fn default() -> Self {
        Self {
            stats: Stats::default(),
            unknown: Vec::new(),
            is_empty: true,
            is_impossible: false,
        }
    }
}

impl StatsReader {
    fn take(&mut self, name: &[u8], value: &str, unexpected: &mut Unexpected) {
        let Some(name) = key(name) else {
            unexpected.note(ResponseField::Stats);
            return;
        };
        let name = name.trim();
        let count = match (StatValue::read(value), is_known(name)) {
            (StatValue::Count(count), _) => count,
            (StatValue::Missing, _) => return,
            (StatValue::Impossible, true) => {
                self.is_impossible = true;
                return;
            }
            // One that Twilio does not document may be anything: a rate, a text, an object. A number among them was
            // perhaps meant as a count.
            (StatValue::Impossible, false) => {
                if value.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
                    unexpected.note(ResponseField::Stats);
                }
                return;
            }
        };
        self.is_empty = false;
        let stats = &mut self.stats;
        match Stat::parse(name) {
            // `canceled` and `cancelled` side by side mean the same emails.
            Some(Stat::Status(status)) => stats.set(status, stats.get(status).max(count)),
            Some(stat) => stats.set_count(stat, count),
            None => self.unknown.push((Word::new(name), count)),
        }
    }

    fn into_stats(mut self, unexpected: &mut Unexpected) -> Stats {
        self.unknown.sort_unstable();
        self.unknown.dedup_by(|again, first| again.0 == first.0);
        for _ in UNKNOWN_STATS..self.unknown.len() {
            unexpected.note(ResponseField::Stats);
        }
        self.unknown.truncate(UNKNOWN_STATS);
        self.stats.unknown = (!self.unknown.is_empty()).then(|| self.unknown.into());
        self.stats
    }
}

/// Whether Twilio documents the stat.
fn is_known(name: &str) -> bool {
    Stat::parse(name).is_some()
}

/// A key, unescaped; `None` where it is no text, such as half a surrogate pair.
fn key(written: &[u8]) -> Option<Cow<'_, str>> {
    let written = std::str::from_utf8(written).ok()?;
    if written.contains('\\') {
        serde_json::from_str(&format!("\"{written}\""))
            .ok()
            .map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(written))
    }
}
