//! Parses an operation's row as Twilio documents it, in one pass over its bytes and without an allocation.
//!
//! Anything else is `None`: an escaped character, an undocumented stat, a value that has to be noted or rejected. Then
//! [`row`](super::row) reads the row from its beginning. Where both read a row they return the same; a test compares them.

use super::{row_times, scan};
use crate::operation::{
    MOST_EMAILS, Operation, OperationId, OperationState, Stat, Stats, Unexpected,
};
use crate::timestamp::Timestamp;

/// The most digits of a count: more would not fit 32 bits.
const MOST_DIGITS: usize = 9;

/// The operation that `json` begins with, and its length in bytes.
pub(super) fn read(json: &[u8]) -> Option<(Operation, usize)> {
    let mut cursor = Cursor { json, at: 0 };
    let mut fields = Fields::default();
    cursor.members(|cursor, key| match key {
        b"id" => once(&mut fields.id, OperationId::parse(cursor.text()?).ok()?),
        b"status" => once(&mut fields.state, state(cursor.text()?)?),
        b"stats" => once(&mut fields.stats, stats(cursor)?),
        b"createdAt" => once(&mut fields.created, cursor.time()?),
        b"updatedAt" => once(&mut fields.updated, cursor.time()?),
        _ => cursor.skip(),
    })?;
    Some((fields.into_operation()?, cursor.at))
}

/// The values of the relevant fields.
#[derive(Default)]
struct Fields {
    id: Option<OperationId>,
    state: Option<OperationState>,
    stats: Option<Stats>,
    created: Option<Time>,
    updated: Option<Time>,
}

/// The value of a time.
enum Time {
    Null,
    At(Timestamp),
}

impl From<Time> for Option<Timestamp> {
    fn from(time: Time) -> Self {
        match time {
            Time::Null => None,
            Time::At(time) => Some(time),
        }
    }
}

impl Fields {
    fn into_operation(self) -> Option<Operation> {
        let (id, mut unexpected) = (self.id?, Unexpected::default());
        let created = row_times::created(Ok(self.created?.into()), id.created(), &mut unexpected);
        let updated = row_times::updated(Ok(self.updated?.into()), created, &mut unexpected);
        let operation = Operation {
            id,
            state: self.state?,
            stats: self.stats?,
            created,
            updated,
        };
        (unexpected == Unexpected::default()).then_some(operation)
    }
}

/// Sets a field for the first time. Which one counts of a repeated field is the general parser's decision.
fn once<T>(field: &mut Option<T>, value: T) -> Option<()> {
    field.replace(value).is_none().then_some(())
}

/// A documented state.
fn state(text: &[u8]) -> Option<OperationState> {
    match OperationState::parse(std::str::from_utf8(text).ok()?) {
        OperationState::Other(_) => None,
        known => Some(known),
    }
}

/// Stats without a contradiction, each of them documented.
fn stats(cursor: &mut Cursor<'_>) -> Option<Stats> {
    let mut stats = Stats::default();
    let mut counted = 0_u32;
    cursor.members(|cursor, key| {
        let place = Stat::ALL
            .iter()
            .position(|stat| stat.as_str().as_bytes() == key)?;
        let count = cursor.count()?;
        if counted & 1 << place != 0 {
            return None;
        }
        counted |= 1 << place;
        stats.set_count(Stat::ALL[place], count);
        Some(())
    })?;
    stats.contradiction().is_none().then_some(stats)
}
const _: () = assert!(Stat::ALL.len() <= u32::BITS as usize);

/// A place in JSON text.
struct Cursor<'a> {
    json: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Reads an object with at least one member. `member` reads the value after the key.
    fn members(&mut self, mut member: impl FnMut(&mut Self, &'a [u8]) -> Option<()>) -> Option<()> {
        self.expect(b'{')?;
        loop {
            let key = self.text()?;
            self.expect(b':')?;
            member(self, key)?;
            match self.next()? {
                b',' => self.at += 1,
                b'}' => break,
                _ => return None,
            }
        }
        self.at += 1;
        Some(())
    }

    /// The next byte that is no white space.
    fn next(&mut self) -> Option<u8> {
        loop {
            let byte = *self.json.get(self.at)?;
            if !scan::is_white_space(&[byte]) {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    fn expect(&mut self, wanted: u8) -> Option<()> {
        (self.next()? == wanted).then(|| self.at += 1)
    }

    /// A string of printable ASCII without escapes.
    fn text(&mut self) -> Option<&'a [u8]> {
        self.expect(b'"')?;
        let rest = self.json.get(self.at..)?;
        let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
        let length = rest.iter().position(|byte| !is_plain(byte))?;
        let (text, rest) = rest.split_at(length);
        self.at += length + 1;
        rest.starts_with(b"\"").then_some(text)
    }

    /// A time as Twilio writes it, or null.
    fn time(&mut self) -> Option<Time> {
        if self.next()? == b'n' {
            self.word(b"null")?;
            return Some(Time::Null);
        }
        Timestamp::from_utc(self.text()?).map(Time::At)
    }

    /// A count in digits.
    fn count(&mut self) -> Option<u32> {
        let number = self.digits()?;
        (number <= MOST_EMAILS).then_some(number)
    }

    fn digits(&mut self) -> Option<u32> {
        self.next()?;
        let rest = self.json.get(self.at..)?;
        let length = rest.iter().position(|byte| !byte.is_ascii_digit())?;
        let (digits, _) = rest.split_at(length);
        // JSON has no number that begins with 0, except 0.
        if !(1..=MOST_DIGITS).contains(&length) || (length > 1 && digits[0] == b'0') {
            return None;
        }
        self.at += length;
        let number = digits
            .iter()
            .fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
        Some(number)
    }

    /// Skips the value of an undocumented field, if it is simple.
    fn skip(&mut self) -> Option<()> {
        match self.next()? {
            b'"' => self.text().map(|_| ()),
            b'n' => self.word(b"null"),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            _ => self.digits().map(|_| ()),
        }
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        let is_next = self.json.get(self.at..)?.starts_with(word);
        is_next.then(|| self.at += word.len())
    }
}

#[cfg(test)]
mod tests;
