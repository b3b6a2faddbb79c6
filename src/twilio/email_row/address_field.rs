//! `from` and `to`: an object with an `address`, a text, or a list of these. Only the domain leaves the parser.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::email::Domain;

/// The domain of a field's addresses.
#[derive(Default)]
pub(super) enum AddressField {
    /// There is no address.
    #[default]
    Missing,
    Domain(Domain),
    /// An address has no domain, or there are several domains.
    Unclear,
}

impl AddressField {
    pub(super) fn into_domain(self) -> Option<Domain> {
        match self {
            Self::Domain(domain) => Some(domain),
            Self::Missing | Self::Unclear => None,
        }
    }

    fn of(address: &str) -> Self {
        Domain::of_address(address).map_or(Self::Unclear, Self::Domain)
    }

    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Missing, field) | (field, Self::Missing) => field,
            (Self::Domain(one), Self::Domain(other)) if one == other => Self::Domain(one),
            _ => Self::Unclear,
        }
    }
}

impl<'de> Deserialize<'de> for AddressField {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AddressVisitor)
    }
}

/// The keys of an address object.
#[derive(serde::Deserialize)]
#[serde(field_identifier)]
enum Key {
    #[serde(rename = "address")]
    Address,
    #[serde(other)]
    Other,
}

struct AddressVisitor;

impl<'de> Visitor<'de> for AddressVisitor {
    type Value = AddressField;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(AddressField::of(text))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(AddressField::Missing)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(AddressField::Unclear)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(AddressField::Unclear)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(AddressField::Unclear)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(AddressField::Unclear)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut all = AddressField::Missing;
        while let Some(one) = list.next_element::<AddressField>()? {
            all = all.and(one);
        }
        Ok(all)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut address = AddressField::Missing;
        while let Some(key) = map.next_key()? {
            match key {
                Key::Address => address = map.next_value()?,
                Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(address)
    }
}
