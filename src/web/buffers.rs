//! Expositions are megabytes, every few seconds: their buffers go round instead of being grown anew.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

/// Buffers that wait; more scrapes than this at once are rare, and memory that waits for them is wasted.
const MOST_WAITING: usize = 2;

/// A stack of empty buffers that have been full.
#[derive(Debug, Clone, Default)]
pub struct Buffers(Arc<Mutex<Vec<Vec<u8>>>>);

/// A buffer under way to a client; comes back when it has been sent.
struct Lent {
    bytes: Vec<u8>,
    home: Buffers,
}

impl Buffers {
    /// An empty buffer.
    #[must_use]
    pub fn take(&self) -> Vec<u8> {
        self.0.lock().pop().unwrap_or_default()
    }

    /// Makes a body of `bytes`, whose buffer returns here when the body is gone.
    #[must_use]
    pub fn lend(&self, bytes: Vec<u8>) -> Bytes {
        Bytes::from_owner(Lent {
            bytes,
            home: self.clone(),
        })
    }
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        let mut waiting = self.home.0.lock();
        if waiting.len() < MOST_WAITING {
            waiting.push(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_empty_with_its_room() {
        let buffers = Buffers::default();
        let body = buffers.lend(vec![7; 4096]);
        assert_eq!(body.len(), 4096);
        assert_eq!(buffers.take().capacity(), 0);
        drop(body);
        let again = buffers.take();
        assert!(again.is_empty() && again.capacity() >= 4096);
    }
}
