//! Parses one operation. A value that cannot be used is left out and noted; an impossible count makes the whole row invalid, because any
//! value in its place would be invented.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::documented_row;
use super::resource::{Resource, Row};
use super::row_times::{created, updated};
use super::scan;
use super::stat_value::StatValue;
use crate::exposition::Endpoint;
use crate::operation::{
    Operation, OperationId, OperationState, ResponseField, Stat, Stats, Unexpected, Word,
};
use crate::timestamp::Timestamp;

/// The most undocumented stats of one operation. Twilio documents 11 stats.
const UNKNOWN_STATS: usize = 16;

impl Resource for Operation {
    type Id = OperationId;

    const PATH: &'static [&'static str] = &["Emails", "Operations"];
    const KEYS: &'static [&'static str] = &["operations", "data"];
    const ENDPOINT: Endpoint = Endpoint::Operations;

    fn read(row: &[u8], unexpected: &mut Unexpected) -> Row<Self> {
        read(row, unexpected)
    }

    fn read_documented(json: &[u8]) -> Option<(Self, usize)> {
        documented_row::read(json)
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn status(&self) -> &str {
        self.state.as_str()
    }
}

/// Parses one row. Values that cannot be used, although the row can, are noted in `unexpected`.
pub(super) fn read(json: &[u8], unexpected: &mut Unexpected) -> Row<Operation> {
    let Some(fields) = Fields::of(json) else {
        return Row::Unreadable;
    };
    let text = |value: &[u8]| text(std::str::from_utf8(value).ok()?).map(Cow::into_owned);
    let Some(id) = fields.id.and_then(text).and_then(|id| id.parse().ok()) else {
        return Row::Unreadable;
    };
    // The scan checks only brackets and quotes; a parser checks that the row is valid JSON.
    if serde_json::from_slice::<&RawValue>(json).is_err() {
        return Row::Rejected(id, "a row with invalid JSON");
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
    let created = created(time(fields.created_at), id.created(), unexpected);
    let updated = updated(time(fields.updated_at), created, unexpected);
    Row::Read(Operation {
        id,
        state,
        stats,
        created,
        updated,
    })
}

/// The relevant fields, as JSON text.
#[derive(Default)]
struct Fields<'a> {
    id: Option<&'a [u8]>,
    status: Option<&'a [u8]>,
    stats: Option<&'a [u8]>,
    created_at: Option<&'a [u8]>,
    updated_at: Option<&'a [u8]>,
}

impl<'a> Fields<'a> {
    /// Of a repeated field the last one counts, as in most JSON parsers.
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

/// The string in `json`; `None` if it is no string.
fn text(json: &str) -> Option<Cow<'_, str>> {
    let plain = json.strip_prefix('"')?.strip_suffix('"')?;
    if plain.contains('\\') {
        serde_json::from_str(json).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(plain))
    }
}

/// The time in `json`: `Ok(None)` if it is missing, an error if it is no time.
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

/// The stats of an operation, or why they are invalid.
fn stats(json: &[u8], unexpected: &mut Unexpected) -> Result<Stats, &'static str> {
    let mut reader = StatsReader::default();
    let read = scan::members(json, |name, value| {
        let value = std::str::from_utf8(&json[value]).unwrap_or_default();
        reader.add(name, value, unexpected);
    });
    read.ok_or("`stats` that is not an object")?;
    if reader.is_impossible {
        return Err("a stat with an impossible count");
    }
    if reader.is_empty {
        return Err("`stats` without a count");
    }
    let stats = reader.into_stats(unexpected);
    match stats.contradiction() {
        Some(why) => Err(why),
        None => Ok(stats),
    }
}

/// The stats parsed so far.
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
    /// Adds one stat.
    fn add(&mut self, name: &[u8], value: &str, unexpected: &mut Unexpected) {
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
            // An undocumented stat may have any type: a rate, a text, an object. Only a number may be meant as a count.
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
            // `canceled` and `cancelled` in one object are the same emails.
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

/// The unescaped key; `None` if it is no text, such as half a surrogate pair.
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
