//! The rate limit: one token bucket for all requests, as in the exporter-toolkit.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::web_config::RateLimit;

/// The tokens that are left.
#[derive(Debug, Default)]
pub(super) struct TokenBucket(Mutex<Option<Level>>);

#[derive(Debug, Clone, Copy)]
struct Level {
    /// The bucket is full again when the limit changes.
    limit: RateLimit,
    tokens: f64,
    at: Instant,
}

impl TokenBucket {
    /// Takes a token at `now`. If there is none, returns the wait for the next one.
    pub(super) fn take(&self, limit: RateLimit, now: Instant) -> Result<(), Duration> {
        let mut bucket = self.0.lock();
        let full = Level {
            limit,
            tokens: f64::from(limit.burst),
            at: now,
        };
        let level = match *bucket {
            Some(level) if level.limit == limit => level,
            _ => full,
        };
        let passed = now.duration_since(level.at).as_secs_f64();
        let interval = limit.interval.as_secs_f64();
        let tokens = (level.tokens + passed / interval).min(full.tokens);
        let taken = tokens >= 1.0;
        *bucket = Some(Level {
            tokens: if taken { tokens - 1.0 } else { tokens },
            ..full
        });
        if taken {
            Ok(())
        } else {
            Err(limit.interval.mul_f64(1.0 - tokens))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_then_one_request_per_interval() {
        let limit = RateLimit {
            interval: Duration::from_secs(2),
            burst: 3,
        };
        let (bucket, began) = (TokenBucket::default(), Instant::now());
        let at = |millis| bucket.take(limit, began + Duration::from_millis(millis));
        let wait = |millis| Err(Duration::from_millis(millis));
        assert_eq!([at(0), at(0), at(0)], [Ok(()); 3]);
        assert_eq!(at(0), wait(2000));
        assert_eq!(at(500), wait(1500), "a refused request takes no token");
        assert_eq!((at(2000), at(2000)), (Ok(()), wait(2000)));
        assert_eq!([at(60_000), at(60_000), at(60_000)], [Ok(()); 3]);
        assert_eq!(
            at(60_000),
            wait(2000),
            "the bucket holds no more than the burst"
        );
        let other = RateLimit { burst: 1, ..limit };
        let now = began + Duration::from_mins(1);
        assert_eq!(bucket.take(other, now), Ok(()), "a new limit begins full");
        assert_eq!(bucket.take(other, now), wait(2000));
    }
}
