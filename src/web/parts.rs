//! A response's body in parts that several responses share. The parts are sent as they are, so a large body is in memory once.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

/// The parts of a body; clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Parts {
    parts: Arc<[Bytes]>,
    len: u64,
}

/// A body that is being sent. `T` lives as long as the body.
#[derive(Debug)]
pub(super) struct PartsBody<T> {
    parts: Parts,
    /// The number of parts that were sent.
    sent: usize,
    /// The bytes of the other parts.
    left: u64,
    _owned: T,
}

impl FromIterator<Bytes> for Parts {
    fn from_iter<I: IntoIterator<Item = Bytes>>(parts: I) -> Self {
        let parts: Arc<[Bytes]> = parts.into_iter().collect();
        let len = parts.iter().map(|part| part.len() as u64).sum();
        Self { parts, len }
    }
}

impl Parts {
    /// A body of these parts. `owned` is dropped with it.
    pub(super) fn into_body<T>(self, owned: T) -> PartsBody<T> {
        PartsBody {
            left: self.len,
            parts: self,
            sent: 0,
            _owned: owned,
        }
    }
}

#[cfg(test)]
impl Parts {
    pub(super) fn to_vec(&self) -> Vec<u8> {
        self.parts.concat()
    }

    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.parts, &other.parts)
    }
}

impl<T: Unpin> Body for PartsBody<T> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(part) = self.parts.parts.get(self.sent).cloned() else {
            return Poll::Ready(None);
        };
        self.sent += 1;
        self.left -= part.len() as u64;
        Poll::Ready(Some(Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.sent == self.parts.parts.len()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_has_a_known_size_and_all_parts_in_order() {
        for texts in [&["one", "two", "three"][..], &["one"], &[]] {
            let parts: Parts = texts
                .iter()
                .map(|text| Bytes::from_static(text.as_bytes()))
                .collect();
            let owned = Arc::new(());
            let mut body = parts.clone().into_body(Arc::clone(&owned));
            let mut read = Vec::new();
            let all = texts.concat();
            while !body.is_end_stream() {
                assert_eq!(
                    body.size_hint().exact(),
                    Some((all.len() - read.len()) as u64)
                );
                let frame = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context));
                read.extend(frame.await.unwrap().unwrap().into_data().unwrap());
            }
            assert_eq!(read, all.as_bytes());
            assert_eq!(body.size_hint().exact(), Some(0));
            assert_eq!(
                Arc::strong_count(&owned),
                2,
                "kept until the body is dropped"
            );
            drop(body);
            assert_eq!(Arc::strong_count(&owned), 1);
        }
    }
}
