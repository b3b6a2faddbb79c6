//! How fast the emails of one operation finish, and when the last one will.

use std::collections::VecDeque;
use std::time::Duration;

use crate::timestamp::Timestamp;

/// The rate is that of the last two minutes: long enough for steps between reads, short enough to follow a send that slows down.
const WINDOW: Duration = Duration::from_mins(2);
/// An end that is further away is unknown: the operation expires earlier.
const LONGEST: f64 = 7.0 * 86_400.0;

/// The rate at which emails finish.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Finished emails at the times of reads, oldest first. At least the last two stay.
    reads: VecDeque<(Timestamp, u64)>,
    /// Emails that are not finished.
    rest: u64,
}

impl Pace {
    /// Notes a read.
    pub(super) fn read(&mut self, now: Timestamp, finished: u64, rest: u64) {
        // The clock was set back: rates across the step mean nothing.
        if self.reads.back().is_some_and(|(last, _)| *last > now) {
            self.reads.clear();
        }
        self.reads.push_back((now, finished));
        while self.reads.len() > 2 && now.since(self.reads[0].0) > WINDOW {
            self.reads.pop_front();
        }
        self.rest = rest;
    }

    /// Emails per second; `None` before two reads.
    pub(super) fn rate(&self) -> Option<f64> {
        let (first, last) = (self.reads.front()?, self.reads.back()?);
        let seconds = last.0.since(first.0).as_secs_f64();
        // A correction by Twilio may lower a count; that is not a rate.
        let finished = last.1.saturating_sub(first.1);
        (seconds > 0.0).then(|| finished as f64 / seconds)
    }

    /// When the last email finishes at this rate; `None` if that is unknown.
    pub(super) fn end(&self) -> Option<Timestamp> {
        let rate = self.rate().filter(|rate| *rate > 0.0)?;
        let seconds = self.rest as f64 / rate;
        let is_known = self.rest > 0 && seconds < LONGEST;
        let last = self.reads.back()?.0;
        is_known.then(|| last + Duration::from_secs_f64(seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_775_370_000_000);

    fn after(seconds: u64) -> Timestamp {
        START + Duration::from_secs(seconds)
    }

    #[test]
    fn the_end_is_where_the_rate_of_the_window_leads() {
        let mut pace = Pace::default();
        assert_eq!((pace.rate(), pace.end()), (None, None));
        pace.read(START, 100, 900);
        assert_eq!((pace.rate(), pace.end()), (None, None));
        pace.read(after(10), 200, 800);
        assert_eq!((pace.rate(), pace.end()), (Some(10.0), Some(after(90))));
        // The fast beginning is no longer in the window.
        pace.read(after(200), 201, 799);
        pace.read(after(300), 301, 699);
        assert_eq!(pace.rate(), Some(1.0));
    }

    #[test]
    fn without_progress_or_a_rest_there_is_no_end() {
        let mut pace = Pace::default();
        pace.read(START, 100, 900);
        pace.read(after(10), 100, 900);
        assert_eq!((pace.rate(), pace.end()), (Some(0.0), None));
        // A correction.
        pace.read(after(20), 90, 910);
        assert_eq!((pace.rate(), pace.end()), (Some(0.0), None));
        pace.read(after(30), 1000, 0);
        assert_eq!(pace.end(), None);
    }

    #[test]
    fn a_clock_that_is_set_back_begins_anew() {
        let mut pace = Pace::default();
        pace.read(after(1000), 100, 900);
        pace.read(after(1010), 200, 800);
        pace.read(START, 300, 700);
        assert_eq!(pace.rate(), None);
        pace.read(after(10), 400, 600);
        assert_eq!(pace.rate(), Some(10.0));
    }
}
