//! Parses one email (<https://www.twilio.com/docs/email/api/email-resource>). Rows contain personal data.
//!
//! An address is reduced to its domain inside of the parser, before any other code sees it. Names, subjects and bodies are skipped: the
//! parser neither copies nor unescapes them.

mod address_field;
mod tags_field;
mod text_field;

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use self::address_field::AddressField;
use self::tags_field::TagsField;
use self::text_field::TextField;
use super::resource::{Resource, Row};
use super::{row_times, scan};
use crate::email::{Email, EmailId, EmailStatus, can_be_scheduled};
use crate::exposition::Endpoint;
use crate::operation::{OperationId, ResponseField, Unexpected};
use crate::timestamp::Timestamp;

/// The largest page: 1,000 emails whose bodies have 50 KiB each, and their other fields. A page of larger bodies needs fewer rows.
const LARGEST_PAGE: usize = 56 * 1024 * 1024;

impl Resource for Email {
    type Id = EmailId;

    const PATH: &'static [&'static str] = &["Emails"];
    const KEYS: &'static [&'static str] = &["emails", "data"];
    const ENDPOINT: Endpoint = Endpoint::Emails;
    const LARGEST_PAGE: usize = LARGEST_PAGE;

    fn read(row: &[u8], unexpected: &mut Unexpected) -> Row<Self> {
        match serde_json::from_slice::<Fields<'_>>(row) {
            Ok(fields) => fields.into_email(unexpected),
            Err(_) => match broken_id(row) {
                Some(id) => Row::Rejected(id, "a row with invalid JSON"),
                None => Row::Unreadable,
            },
        }
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn status(&self) -> &str {
        self.status.as_str()
    }

    fn operation(&self) -> Option<OperationId> {
        self.operation
    }
}

/// The relevant fields. Of a repeated field the last one counts, as in most JSON parsers.
#[derive(Default)]
struct Fields<'a> {
    id: TextField<'a>,
    operation: TextField<'a>,
    status: TextField<'a>,
    created_at: TextField<'a>,
    updated_at: TextField<'a>,
    scheduled_for: TextField<'a>,
    from: AddressField,
    to: AddressField,
    tags: TagsField,
}

impl Fields<'_> {
    fn into_email(self, unexpected: &mut Unexpected) -> Row<Email> {
        let created = self.created_at.time();
        let id = self.id.text();
        let Some(id) = id.and_then(|id| EmailId::parse(id, created.ok().flatten())) else {
            return Row::Unreadable;
        };
        let Some(status) = self.status.text() else {
            return Row::Rejected(id, "an email without a `status`");
        };
        let status = EmailStatus::parse(status);
        if status == EmailStatus::Unknown {
            unexpected.note(ResponseField::Status);
        }
        let Ok(operation) = self.operation() else {
            return Row::Rejected(id, "an email with an invalid `operationId`");
        };
        let created = row_times::created(created, id.created(), unexpected);
        // Without it, the delivery time would be measured from the creation.
        let Ok(scheduled) = self.scheduled(created) else {
            return Row::Rejected(id, "an email with an impossible `scheduledFor`");
        };
        Row::Read(Email {
            id,
            operation,
            status,
            created,
            updated: row_times::updated(self.updated_at.time(), created, unexpected),
            scheduled,
            sender: self.from.into_domain(),
            recipient: self.to.into_domain(),
            tags: self.tags.into_tags(),
        })
    }

    fn operation(&self) -> Result<Option<OperationId>, ()> {
        match &self.operation {
            TextField::Missing => Ok(None),
            TextField::Other => Err(()),
            TextField::Text(text) if text.trim().is_empty() => Ok(None),
            TextField::Text(text) => text.trim().parse().map(Some).map_err(|_| ()),
        }
    }

    fn scheduled(&self, created: Timestamp) -> Result<Option<Timestamp>, ()> {
        match self.scheduled_for.time()? {
            Some(scheduled) if !can_be_scheduled(created, scheduled) => Err(()),
            scheduled => Ok(scheduled),
        }
    }
}

/// The id in a row with invalid JSON, if the row is an object with an id.
fn broken_id(row: &[u8]) -> Option<EmailId> {
    let (mut id, mut created) = (None, None);
    scan::members(row, |key, value| {
        let field = match key {
            b"id" => &mut id,
            b"createdAt" => &mut created,
            _ => return,
        };
        *field = serde_json::from_slice::<TextField<'_>>(&row[value]).ok();
    })?;
    let created = created.and_then(|created| created.time().ok()).flatten();
    EmailId::parse(id?.text()?, created)
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an email")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut fields = Fields::default();
        while let Some(key) = map.next_key()? {
            match key {
                Key::Id => fields.id = map.next_value()?,
                Key::Operation => fields.operation = map.next_value()?,
                Key::Status => fields.status = map.next_value()?,
                Key::CreatedAt => fields.created_at = map.next_value()?,
                Key::UpdatedAt => fields.updated_at = map.next_value()?,
                Key::ScheduledFor => fields.scheduled_for = map.next_value()?,
                Key::From => fields.from = map.next_value()?,
                Key::To => fields.to = map.next_value()?,
                Key::Tags => fields.tags = map.next_value()?,
                Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(fields)
    }
}

#[derive(serde::Deserialize)]
#[serde(field_identifier)]
enum Key {
    #[serde(rename = "id")]
    Id,
    #[serde(rename = "operationId")]
    Operation,
    #[serde(rename = "status")]
    Status,
    #[serde(rename = "createdAt")]
    CreatedAt,
    #[serde(rename = "updatedAt")]
    UpdatedAt,
    #[serde(rename = "scheduledFor")]
    ScheduledFor,
    #[serde(rename = "from")]
    From,
    #[serde(rename = "to")]
    To,
    #[serde(rename = "tags")]
    Tags,
    #[serde(other)]
    Other,
}

#[cfg(test)]
mod tests;
