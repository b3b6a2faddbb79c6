//! Parses Twilio's JSON in every documented or observed variant (<https://www.twilio.com/docs/email/api/email-operation-resource>).
//!
//! An unexpected value does not make its operation unusable, and a row with invalid JSON does not make its page unusable. But an impossible
//! count makes its row invalid: no value is exposed in its place.

use serde_json::value::RawValue;

use super::error::ApiError;
use super::pages::Pagination;
use super::resource::{Resource, Row};
use super::row;
use super::scan::{self, Element, Elements};
use crate::operation::{Operation, ResponseField, Unexpected};

/// The byte order mark of UTF-8, which some servers write.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// One page of a list.
#[derive(Debug)]
pub(super) struct ListPage<T: Resource> {
    pub(super) rows: Vec<T>,
    /// The resources whose rows have impossible values, with the reason. Each counts as a failed read.
    pub(super) rejected: Vec<(T::Id, &'static str)>,
    /// The number of rows without a valid id.
    pub(super) unreadable: usize,
    /// Values that cannot be used, although their row can.
    pub(super) unexpected: Unexpected,
    /// The next page and the page size.
    pub(super) pagination: Pagination,
}

impl<T: Resource> ListPage<T> {
    /// The number of all rows.
    pub(super) fn size(&self) -> usize {
        self.rows.len() + self.rejected.len() + self.unreadable
    }
}

/// Parses the response of `GET /Emails/Operations/{id}`. Values that cannot be used are noted in `unexpected`.
pub(super) fn operation(body: &[u8], unexpected: &mut Unexpected) -> Result<Operation, ApiError> {
    let body = without_mark(body, unexpected);
    if let Some((operation, length)) = Operation::read_documented(body)
        && scan::is_white_space(&body[length..])
    {
        return Ok(operation);
    }
    match row::read(body, unexpected) {
        Row::Read(operation) => Ok(operation),
        Row::Rejected(_, why) => Err(ApiError::Implausible(why)),
        Row::Unreadable => Err(ApiError::InvalidResponse(
            "no JSON object with the `id` of an operation",
        )),
    }
}

/// Parses a page of a list, of at most `most` rows.
pub(super) fn page<T: Resource>(body: &[u8], most: usize) -> Result<ListPage<T>, ApiError> {
    let mut unexpected = Unexpected::default();
    let body = without_mark(body, &mut unexpected);
    let (rows, rest) = rows(body, T::KEYS, most, T::read_documented)?;
    if serde_json::from_slice::<&RawValue>(&rest).is_err() {
        unexpected.note(ResponseField::Body);
    }
    let pagination = Pagination::of_list(&rest);
    let mut page = ListPage {
        rows: Vec::with_capacity(rows.len()),
        rejected: Vec::new(),
        unreadable: 0,
        unexpected,
        pagination,
    };
    for row in rows {
        let row = match row {
            Element::Parsed(row) => Row::Read(row),
            Element::Text(json) => T::read(json, &mut page.unexpected),
        };
        match row {
            Row::Read(row) => page.rows.push(row),
            Row::Rejected(id, why) => page.rejected.push((id, why)),
            Row::Unreadable => page.unreadable += 1,
        }
    }
    Ok(page)
}

/// The rows of a list, at most `most`, and the list without them. The rows are the first array under one of `keys`. `parse` may read a row
/// where it is found, as in [`scan::members_and_elements`].
pub(super) fn rows<'a, T>(
    body: &'a [u8],
    keys: &[&str],
    most: usize,
    parse: impl Fn(&[u8]) -> Option<(T, usize)>,
) -> Result<(Vec<Element<'a, T>>, Vec<u8>), ApiError> {
    let mut lists: Vec<_> = keys.iter().map(|_| None).collect();
    let place_of = |key: &[u8]| keys.iter().position(|known| known.as_bytes() == key);
    let is_list = |key: &[u8]| place_of(key).is_some();
    scan::members_and_elements(body, is_list, most, parse, |key, place, elements| {
        if let Some(list) = place_of(key).and_then(|known| lists.get_mut(known)) {
            *list = Some((place, elements));
        }
    })
    .ok_or(ApiError::InvalidResponse("no JSON object with a list"))?;
    for (place, elements) in lists.into_iter().flatten() {
        match elements {
            Some(Elements::All(rows)) => {
                let rest = [&body[..place.start], b"[]", &body[place.end..]].concat();
                return Ok((rows, rest));
            }
            Some(Elements::TooMany) => return Err(ApiError::TooManyRows { limit: most }),
            None => {}
        }
    }
    Err(ApiError::InvalidResponse("a list without rows"))
}

/// `body` without a byte order mark, which is noted in `unexpected`.
pub(super) fn without_mark<'a>(body: &'a [u8], unexpected: &mut Unexpected) -> &'a [u8] {
    match body.strip_prefix(BYTE_ORDER_MARK) {
        Some(rest) => {
            unexpected.note(ResponseField::Body);
            rest
        }
        None => body,
    }
}

#[cfg(test)]
mod tests;
