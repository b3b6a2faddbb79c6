//! Limits the frames of HTTP/2 that carry no data: heads, informational responses, settings, pings. The library accepts any number
//! of them, so a server that sends nothing else would use a core for as long as the connection lives.
//!
//! Frames with data have other limits: the size of a body, and the number of its pieces.

use std::time::Instant;

/// The largest head of a response, in bytes as in RFC 9113. Twilio's heads have less than 2 KB.
pub(super) const LARGEST_HEAD: u32 = 16 * 1024;

/// What a frame costs in addition to its bytes: reading it takes about as long as reading this many bytes of data.
const PER_FRAME: u32 = 64;
/// The largest budget of a connection, and the one that it begins with: settings, and some hundred small frames.
const BURST: u32 = 128 * 1024;
/// What is added to the budget per second: some dozen pings and changes of the window.
const PER_SECOND: u32 = 4 * 1024;
/// What a response adds to the budget: a head and a trailer of the largest size.
const PER_RESPONSE: u32 = 2 * LARGEST_HEAD;

/// The length of a frame's head (RFC 9113, section 4.1).
const HEAD: usize = 9;
const DATA: u8 = 0;
const HEADERS: u8 = 1;

/// The frames that a connection may still receive.
#[derive(Debug)]
pub(super) struct FrameBudget {
    left: u32,
    refilled: Instant,
    /// The highest stream that has had a response.
    newest: u32,
    /// The beginning of a frame's head.
    head: [u8; HEAD],
    /// The bytes of `head` that were received.
    known: usize,
    /// The bytes of the current frame that are still to come.
    payload: usize,
}

impl FrameBudget {
    /// For a connection that was opened at `now`.
    pub(super) const fn new(now: Instant) -> Self {
        Self {
            left: BURST,
            refilled: now,
            newest: 0,
            head: [0; HEAD],
            known: 0,
            payload: 0,
        }
    }

    /// Counts the next `bytes` of the connection, received at `now`. Returns whether its frames are within the limit.
    pub(super) fn accepts(&mut self, mut bytes: &[u8], now: Instant) -> bool {
        self.refill(now);
        loop {
            let skipped = self.payload.min(bytes.len());
            self.payload -= skipped;
            bytes = &bytes[skipped..];
            let taken = (HEAD - self.known).min(bytes.len());
            if taken == 0 {
                return true;
            }
            self.head[self.known..self.known + taken].copy_from_slice(&bytes[..taken]);
            self.known += taken;
            bytes = &bytes[taken..];
            if self.known == HEAD && !self.accepts_frame() {
                return false;
            }
        }
    }

    /// Counts the frame whose head was received. Returns whether it is within the limit.
    fn accepts_frame(&mut self) -> bool {
        let [l0, l1, l2, kind, _, s0, s1, s2, s3] = self.head;
        let length = u32::from_be_bytes([0, l0, l1, l2]);
        let stream = u32::from_be_bytes([s0 & 0x7f, s1, s2, s3]);
        self.known = 0;
        // A frame has less than 16 MiB, and the library refuses those above 16 KiB.
        self.payload = length as usize;
        // A server that responds on a stream that was not opened breaks the protocol, and the library closes the connection.
        if kind == HEADERS && stream > self.newest {
            self.newest = stream;
            self.left = self
                .left
                .saturating_add(PER_RESPONSE)
                .min(BURST + PER_RESPONSE);
        }
        if kind == DATA {
            return true;
        }
        match self.left.checked_sub(PER_FRAME + length) {
            Some(left) => self.left = left,
            None => return false,
        }
        true
    }

    fn refill(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.refilled).as_secs();
        if elapsed > 0 {
            let more = u32::try_from(elapsed)
                .unwrap_or(u32::MAX)
                .saturating_mul(PER_SECOND);
            self.left = self.left.max(self.left.saturating_add(more).min(BURST));
            self.refilled = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const PING: u8 = 6;
    /// What a ping costs.
    const PING_COST: u32 = PER_FRAME + 8;

    fn frame(kind: u8, stream: u32, length: usize) -> Vec<u8> {
        let [_, size @ ..] = u32::try_from(length).unwrap().to_be_bytes();
        let head = [&size[..], &[kind, 0], &stream.to_be_bytes()].concat();
        [head, vec![0xff; length]].concat()
    }

    /// The number of `frames` that a budget accepts at one time.
    fn accepted(
        budget: &mut FrameBudget,
        frames: impl IntoIterator<Item = Vec<u8>>,
        at: Instant,
    ) -> u32 {
        let within = |frame: &Vec<u8>| budget.accepts(frame, at);
        let accepted = u32::try_from(frames.into_iter().take_while(within).count()).unwrap();
        // The rest of a frame that was refused.
        budget.payload = 0;
        accepted
    }

    fn pings() -> impl Iterator<Item = Vec<u8>> {
        std::iter::repeat_n(frame(PING, 0, 8), 100_000)
    }

    #[test]
    fn endless_frames_without_data_are_refused_after_a_number_and_again_after_a_while() {
        let start = Instant::now();
        let mut budget = FrameBudget::new(start);
        assert_eq!(accepted(&mut budget, pings(), start), BURST / PING_COST);
        let rest = BURST % PING_COST;
        let later = start + Duration::from_secs(3);
        let more = (rest + 3 * PER_SECOND) / PING_COST;
        assert_eq!(accepted(&mut budget, pings(), later), more);
        let tomorrow = later + Duration::from_hours(24);
        assert_eq!(accepted(&mut budget, pings(), tomorrow), BURST / PING_COST);
    }

    #[test]
    fn endless_informational_responses_are_refused() {
        let start = Instant::now();
        let mut budget = FrameBudget::new(start);
        let informational = std::iter::repeat_n(frame(HEADERS, 1, 5), 100_000);
        let most = (BURST + PER_RESPONSE) / (PER_FRAME + 5);
        assert_eq!(accepted(&mut budget, informational, start), most);
    }

    #[test]
    fn a_response_with_the_largest_head_and_any_data_is_accepted_on_every_stream() {
        let start = Instant::now();
        let mut budget = FrameBudget::new(start);
        let largest = LARGEST_HEAD as usize;
        let responses = (0..10_000).flat_map(|number| {
            let stream = 2 * number + 1;
            [
                frame(HEADERS, stream, largest),
                frame(DATA, stream, 16_000),
                frame(DATA, stream, 0),
            ]
        });
        assert_eq!(accepted(&mut budget, responses, start), 30_000);
        // They save nothing for later.
        assert!(budget.left <= BURST + PER_RESPONSE);
    }

    #[test]
    fn frames_count_in_the_same_way_however_they_arrive() {
        let start = Instant::now();
        let frames = [
            frame(HEADERS, 1, 40),
            frame(DATA, 1, 300),
            frame(PING, 0, 8),
            frame(HEADERS, 0x8000_0003, 7),
        ]
        .concat();
        let left = |piece: usize| {
            let mut budget = FrameBudget::new(start);
            assert!(
                frames
                    .chunks(piece)
                    .all(|piece| budget.accepts(piece, start))
            );
            (budget.left, budget.newest, budget.known, budget.payload)
        };
        let costs = 3 * PER_FRAME + 40 + 8 + 7;
        let capped = BURST + PER_RESPONSE - PER_FRAME - 7;
        assert!(costs < PER_RESPONSE);
        for piece in [1, 2, 8, 9, 10, 100, 1_000] {
            assert_eq!(left(piece), (capped, 3, 0, 0), "in pieces of {piece}");
        }
    }
}
