//! Twilio's JSON, in every variant that its documents show or that has been seen
//! (<https://www.twilio.com/docs/email/api/email-operation-resource>).
//!
//! Read as much as can be read: an odd value is no reason to lose an operation, a row that is no JSON none to lose a page. But a
//! figure that cannot be makes its row no answer about its operation: nothing is shown in its place.

use serde_json::value::RawValue;

use super::error::ApiError;
use super::pages::Pagination;
use super::resource::{Resource, Row};
use super::{row, scan};
use crate::operation::{Operation, ResponseField, Unexpected};

/// What some writers put before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// One page of a list.
#[derive(Debug)]
pub(super) struct ListPage<T: Resource> {
    pub(super) rows: Vec<T>,
    /// Those whose rows say nothing that can be believed: each counts as one whose read failed. With the reason.
    pub(super) rejected: Vec<(T::Id, &'static str)>,
    /// Rows that are about none.
    pub(super) unreadable: usize,
    /// Odd values that cost only themselves.
    pub(super) unexpected: Unexpected,
    /// What follows, and how many rows make a page.
    pub(super) pagination: Pagination,
}

impl<T: Resource> ListPage<T> {
    /// How many rows there were, whatever they were.
    pub(super) fn size(&self) -> usize {
        self.rows.len() + self.rejected.len() + self.unreadable
    }
}

/// Reads the answer of `GET /Emails/Operations/{id}`; odd values that cost only themselves are noted in `unexpected`.
pub(super) fn operation(body: &[u8], unexpected: &mut Unexpected) -> Result<Operation, ApiError> {
    let body = without_mark(body, unexpected);
    match row::read(body, unexpected) {
        Row::Read(operation) => Ok(operation),
        Row::Rejected(_, why) => Err(ApiError::Implausible(why)),
        Row::Unreadable => Err(ApiError::InvalidResponse(
            "no JSON object of an operation with a right `id`",
        )),
    }
}

/// Reads a page of a list.
pub(super) fn page<T: Resource>(body: &[u8]) -> Result<ListPage<T>, ApiError> {
    let mut unexpected = Unexpected::default();
    let body = without_mark(body, &mut unexpected);
    let (rows, rest) = rows(body, T::KEYS)?;
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
    for json in rows {
        match T::read(json, &mut page.unexpected) {
            Row::Read(row) => page.rows.push(row),
            Row::Rejected(id, why) => page.rejected.push((id, why)),
            Row::Unreadable => page.unreadable += 1,
        }
    }
    Ok(page)
}

/// The rows of a list, each as it is written, and the list without them. They are the first array under one of `keys`.
pub(super) fn rows<'a>(
    body: &'a [u8],
    keys: &[&str],
) -> Result<(Vec<&'a [u8]>, Vec<u8>), ApiError> {
    let mut places = vec![None; keys.len()];
    scan::members(body, |key, value| {
        let known = keys.iter().position(|known| known.as_bytes() == key);
        if let Some(place) = known.and_then(|known| places.get_mut(known)) {
            *place = Some(value);
        }
    })
    .ok_or(ApiError::InvalidResponse("no JSON object of a list"))?;
    for place in places.into_iter().flatten() {
        if let Some(rows) = scan::elements(&body[place.clone()]) {
            let list = &body[place.clone()];
            let rows = rows.into_iter().map(|row| &list[row]).collect();
            let rest = [&body[..place.start], b"[]", &body[place.end..]].concat();
            return Ok((rows, rest));
        }
    }
    Err(ApiError::InvalidResponse("a list without its rows"))
}

/// `body` without a byte order mark, which is noted.
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
