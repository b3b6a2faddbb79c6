//! The number of known emails by provider and status.

use crate::email::EmailStatus;

/// The emails of each status, by [`EmailStatus`].
type Statuses = [u64; EmailStatus::ALL.len()];

/// The known emails by the provider's number and status.
#[derive(Debug, Default)]
pub(super) struct StatusCounts {
    by_provider: Vec<Statuses>,
}

impl StatusCounts {
    /// The emails of the provider with this number.
    pub(super) fn of(&self, number: usize) -> Statuses {
        self.by_provider.get(number).copied().unwrap_or_default()
    }

    pub(super) fn add(&mut self, provider: u8, status: EmailStatus) {
        if let Some(count) = self.at(provider, status) {
            *count += 1;
        }
    }

    pub(super) fn remove(&mut self, provider: u8, status: EmailStatus) {
        if let Some(count) = self.at(provider, status) {
            *count = count.saturating_sub(1);
        }
    }

    /// `None` for inbound emails, which have no provider.
    fn at(&mut self, provider: u8, status: EmailStatus) -> Option<&mut u64> {
        let number = usize::from(provider);
        if self.by_provider.len() <= number {
            self.by_provider.resize(number + 1, Statuses::default());
        }
        let counts = &mut self.by_provider[number];
        (status != EmailStatus::Inbound).then(|| &mut counts[status as usize])
    }
}
