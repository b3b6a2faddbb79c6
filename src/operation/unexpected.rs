//! Values in Twilio's responses that cannot be used as they are, although the rest of the response can.

/// The field of a response with such a value: the value of the `field` label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ResponseField {
    /// The body: it begins with a byte order mark, which is skipped.
    Body,
    /// `createdAt` contradicts the time in the id, which is used instead.
    CreatedAt,
    /// `updatedAt` is a time at which the operation cannot have changed. It is left out.
    UpdatedAt,
    /// `status` is no word, or an undocumented word beyond the limit. The known state stays, or it is `unreadable` or `other`.
    Status,
    /// An undocumented stat is no count, and is left out; or it is beyond the limit, and is part of `other`.
    Stats,
}

impl ResponseField {
    /// The closed set.
    pub const ALL: [Self; 5] = [
        Self::Body,
        Self::CreatedAt,
        Self::UpdatedAt,
        Self::Status,
        Self::Stats,
    ];

    /// The label's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
            Self::Status => "status",
            Self::Stats => "stats",
        }
    }
}

/// The number of such values, by field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unexpected([u64; ResponseField::ALL.len()]);

impl Unexpected {
    /// Counts one value.
    pub const fn note(&mut self, field: ResponseField) {
        self.0[field as usize] += 1;
    }

    /// The fields with at least one value, and their number.
    pub fn counts(self) -> impl Iterator<Item = (ResponseField, u64)> {
        let counts = ResponseField::ALL.into_iter().zip(self.0);
        counts.filter(|(_, count)| *count > 0)
    }
}
