//! Reuses the buffers of expositions, which are megabytes every few seconds. A buffer returns to the pool when its response has been
//! sent or dropped.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

/// The most unused buffers in the pool. More concurrent scrapes are rare, and unused buffers waste memory.
const MAX_UNUSED: usize = 2;

/// A pool of empty buffers.
#[derive(Debug, Clone, Default)]
pub(super) struct Buffers(Arc<Mutex<Vec<Vec<u8>>>>);

/// A buffer that is being sent to a client. Dropping it returns the buffer to the pool.
struct LentBuffer {
    bytes: Vec<u8>,
    pool: Buffers,
}

impl Buffers {
    /// An empty buffer, from the pool if possible.
    #[must_use]
    pub(super) fn take(&self) -> Vec<u8> {
        self.0.lock().pop().unwrap_or_default()
    }

    /// Converts `bytes` to a response body. The buffer returns to the pool when the body is dropped.
    #[must_use]
    pub(super) fn lend(&self, bytes: Vec<u8>) -> Bytes {
        Bytes::from_owner(LentBuffer {
            bytes,
            pool: self.clone(),
        })
    }
}

impl AsRef<[u8]> for LentBuffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for LentBuffer {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        let mut unused = self.pool.0.lock();
        if unused.len() < MAX_UNUSED {
            unused.push(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_returns_empty_with_its_capacity() {
        let buffers = Buffers::default();
        let body = buffers.lend(vec![7; 4096]);
        assert_eq!(body.len(), 4096);
        assert_eq!(buffers.take().capacity(), 0);
        drop(body);
        let again = buffers.take();
        assert!(again.is_empty() && again.capacity() >= 4096);
    }
}
