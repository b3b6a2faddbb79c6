//! The tags of an email. Only those that are valid labels are copied.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::text_field::TextField;
use crate::email::Tags;
use crate::label;

/// The most tags of an email that are kept. Twilio documents no limit; labels need a few.
const MOST: usize = 10;

/// The value of `tags`. Any other value than an object has none.
#[derive(Default)]
pub(super) struct TagsField(Tags);

impl TagsField {
    pub(super) fn into_tags(self) -> Tags {
        self.0
    }
}

impl<'de> Deserialize<'de> for TagsField {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TagsVisitor)
    }
}

struct TagsVisitor;

impl<'de> Visitor<'de> for TagsVisitor {
    type Value = TagsField;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut tags: Vec<(Box<str>, Box<str>)> = Vec::new();
        while let Some(name) = map.next_key::<TextField<'de>>()? {
            let value = map.next_value::<TextField<'de>>()?;
            if let (Some(name), Some(value)) = (name.text(), value.text())
                && tags.len() < MOST
                && label::check_name(name).is_ok()
                && label::check_value(value).is_ok()
            {
                tags.push((name.into(), value.into()));
            }
        }
        Ok(TagsField(Tags::new(tags)))
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Self::Value, S::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(TagsField::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(TagsField::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(TagsField::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(TagsField::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(TagsField::default())
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(TagsField::default())
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(TagsField::default())
    }
}
