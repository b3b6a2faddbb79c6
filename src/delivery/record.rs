//! An email in memory: 30 bytes while its status may change, 20 bytes from its final status on. An account may have millions.

use crate::email::{EmailId, EmailStatus};
use crate::operation::OperationId;
use crate::store::SavedEmail;

/// The bytes of an id, which is the key of both records.
pub(super) const ID: usize = 14;
/// The bytes of an email whose status may change.
pub(super) const OPEN: usize = 30;
/// The bytes of an email with a final status.
pub(super) const DONE: usize = 20;
/// The bits of an operation's mark that are kept of an email with a final status.
const SHORT_MARK: u64 = u32::MAX as u64;

/// A mark of an operation in 48 bits: among seven million operations, two have the same mark with a probability of 9%. Then one of them
/// counts as known while only the other is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct OperationMark(u64);

impl OperationMark {
    /// No operation.
    pub(super) const NONE: Self = Self(0);
    const BITS: u64 = (1 << 48) - 1;

    pub(super) fn of(operation: Option<OperationId>) -> Self {
        let Some(operation) = operation else {
            return Self::NONE;
        };
        // FNV-1a, because marks are saved.
        let hash = operation
            .to_bytes()
            .iter()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
            });
        Self(((hash ^ hash >> 48) & Self::BITS).max(1))
    }

    pub(super) const fn from_bits(bits: u64) -> Self {
        Self(bits & Self::BITS)
    }

    pub(super) const fn bits(self) -> u64 {
        self.0
    }

    /// The lower 32 bits.
    pub(super) const fn short(self) -> u32 {
        (self.0 & SHORT_MARK) as u32
    }
}

/// An email whose status may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OpenEmail {
    pub(super) id: EmailId,
    pub(super) operation: OperationMark,
    pub(super) status: EmailStatus,
    /// When it was sent, in seconds since 1970; 0 unless its status is [`EmailStatus::Sent`].
    pub(super) sent_at: u32,
    pub(super) provider: u8,
    pub(super) recipient: u16,
    pub(super) sender: u16,
}

impl OpenEmail {
    pub(super) fn to_bytes(self) -> [u8; OPEN] {
        let mut bytes = [0; OPEN];
        bytes[..ID].copy_from_slice(&self.id.to_bytes());
        bytes[14..20].copy_from_slice(&self.operation.bits().to_be_bytes()[2..]);
        bytes[20..24].copy_from_slice(&self.sent_at.to_be_bytes());
        bytes[24..26].copy_from_slice(&self.recipient.to_be_bytes());
        bytes[26..28].copy_from_slice(&self.sender.to_be_bytes());
        bytes[28] = self.provider;
        bytes[29] = self.status as u8;
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8; OPEN]) -> Self {
        Self {
            id: id(bytes),
            operation: OperationMark::from_bits(number(&bytes[14..20])),
            sent_at: u32::try_from(number(&bytes[20..24])).unwrap_or_default(),
            recipient: u16::from_be_bytes([bytes[24], bytes[25]]),
            sender: u16::from_be_bytes([bytes[26], bytes[27]]),
            provider: bytes[28],
            status: EmailStatus::from_index(bytes[29]).unwrap_or(EmailStatus::Unknown),
        }
    }

    pub(super) fn saved(self) -> SavedEmail {
        SavedEmail {
            id: self.id,
            status: self.status,
            operation: self.operation.bits(),
            provider: self.provider,
            recipient: self.recipient,
            sender: self.sender,
            sent_at: self.sent_at,
        }
    }

    pub(super) fn restore(saved: &SavedEmail) -> Self {
        Self {
            id: saved.id,
            operation: OperationMark::from_bits(saved.operation),
            status: saved.status,
            sent_at: saved.sent_at,
            provider: saved.provider,
            recipient: saved.recipient,
            sender: saved.sender,
        }
    }
}

/// An email with a final status. It stays known until it expires, so that a row of it is not counted again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DoneEmail {
    pub(super) id: EmailId,
    /// See [`OperationMark::short`].
    pub(super) operation: u32,
    pub(super) status: EmailStatus,
    pub(super) provider: u8,
}

impl DoneEmail {
    pub(super) fn to_bytes(self) -> [u8; DONE] {
        let mut bytes = [0; DONE];
        bytes[..ID].copy_from_slice(&self.id.to_bytes());
        bytes[14..18].copy_from_slice(&self.operation.to_be_bytes());
        bytes[18] = self.provider;
        bytes[19] = self.status as u8;
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8; DONE]) -> Self {
        Self {
            id: id(bytes),
            operation: u32::try_from(number(&bytes[14..18])).unwrap_or_default(),
            provider: bytes[18],
            status: EmailStatus::from_index(bytes[19]).unwrap_or(EmailStatus::Unknown),
        }
    }

    pub(super) fn saved(self) -> SavedEmail {
        SavedEmail {
            id: self.id,
            status: self.status,
            operation: u64::from(self.operation),
            provider: self.provider,
            recipient: 0,
            sender: 0,
            sent_at: 0,
        }
    }

    pub(super) fn restore(saved: &SavedEmail) -> Self {
        Self {
            id: saved.id,
            operation: OperationMark::from_bits(saved.operation).short(),
            status: saved.status,
            provider: saved.provider,
        }
    }
}

fn id<const N: usize>(bytes: &[u8; N]) -> EmailId {
    let mut id = [0; ID];
    id.copy_from_slice(&bytes[..ID]);
    EmailId::from_bytes(id)
}

fn number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn records_round_trip(id: [u8; ID], operation: u64, status in 0_u8..10, sent_at: u32, provider: u8, recipient: u16, sender: u16) {
            let open = OpenEmail {
                id: EmailId::from_bytes(id),
                operation: OperationMark::from_bits(operation),
                status: EmailStatus::from_index(status).unwrap(),
                sent_at,
                provider,
                recipient,
                sender,
            };
            prop_assert_eq!(OpenEmail::from_bytes(&open.to_bytes()), open);
            prop_assert_eq!(OpenEmail::restore(&open.saved()), open);
            let done = DoneEmail::restore(&open.saved());
            prop_assert_eq!(DoneEmail::from_bytes(&done.to_bytes()), done);
            prop_assert_eq!(DoneEmail::restore(&done.saved()), done);
        }
    }
}
