//! What was looked up, for a limited time and a limited number of domains.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use crate::email::{Domain, ProviderId};

/// The most domains: about 10 MB.
const MOST: usize = 50_000;
/// The most lookups that wait or run. Those beyond it begin when the next email to the domain comes.
const MOST_PENDING: usize = 1_000;
/// How long the mail exchangers of a domain are used. They change once in years.
const KEPT: Duration = Duration::from_hours(24);
/// How long a failed lookup is not repeated.
const FAILED_FOR: Duration = Duration::from_mins(10);

/// What was looked up.
#[derive(Debug, Default)]
pub(super) struct Cache {
    entries: HashMap<Domain, Entry>,
    /// Each domain once, those that came first first.
    order: VecDeque<Domain>,
    pending: usize,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    provider: ProviderId,
    /// `None` while a lookup waits or runs.
    until: Option<Instant>,
}

/// What the caller has to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begin {
    Nothing,
    /// A lookup; [`Cache::finish`] takes its result.
    Lookup,
    /// A lookup is needed, but too many are pending.
    TooMany,
}

impl Cache {
    /// The provider of a domain as far as it is known. One that was looked up long ago is used until the next lookup has finished.
    pub(super) fn get(&mut self, domain: &Domain, now: Instant) -> (ProviderId, Begin) {
        let known = self.entries.get(domain).copied();
        let provider = known.map_or(ProviderId::OTHER, |entry| entry.provider);
        if known.is_some_and(|entry| entry.until.is_none_or(|until| now < until)) {
            return (provider, Begin::Nothing);
        }
        if self.pending == MOST_PENDING {
            return (provider, Begin::TooMany);
        }
        self.pending += 1;
        let until = None;
        self.put(domain, Entry { provider, until });
        (provider, Begin::Lookup)
    }

    /// Takes the result of a lookup; `None`: it failed.
    pub(super) fn finish(&mut self, domain: &Domain, found: Option<ProviderId>, now: Instant) {
        self.pending = self.pending.saturating_sub(1);
        let known = self.entries.get(domain).map(|entry| entry.provider);
        let kept = if found.is_some() { KEPT } else { FAILED_FOR };
        let entry = Entry {
            provider: found.or(known).unwrap_or(ProviderId::OTHER),
            until: Some(now + kept),
        };
        self.put(domain, entry);
    }

    fn put(&mut self, domain: &Domain, entry: Entry) {
        if self.entries.insert(domain.clone(), entry).is_some() {
            return;
        }
        self.order.push_back(domain.clone());
        if self.order.len() > MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.entries.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GMAIL: ProviderId = ProviderId::from_index(1);

    fn domain(n: usize) -> Domain {
        Domain::parse(&format!("d{n}.example")).unwrap()
    }

    #[test]
    fn a_domain_is_looked_up_once_and_again_after_a_day() {
        let (mut cache, now) = (Cache::default(), Instant::now());
        assert_eq!(
            cache.get(&domain(0), now),
            (ProviderId::OTHER, Begin::Lookup)
        );
        assert_eq!(
            cache.get(&domain(0), now),
            (ProviderId::OTHER, Begin::Nothing)
        );
        cache.finish(&domain(0), Some(GMAIL), now);
        let before = now + KEPT.saturating_sub(Duration::from_millis(1));
        assert_eq!(cache.get(&domain(0), before), (GMAIL, Begin::Nothing));
        let later = now + KEPT;
        assert_eq!(cache.get(&domain(0), later), (GMAIL, Begin::Lookup));
        assert_eq!(cache.get(&domain(0), later), (GMAIL, Begin::Nothing));
        cache.finish(&domain(0), None, later);
        let after = later + FAILED_FOR;
        assert_eq!(cache.get(&domain(0), after), (GMAIL, Begin::Lookup), "kept");
        cache.finish(&domain(0), Some(ProviderId::OTHER), after);
        assert_eq!(
            cache.get(&domain(0), after),
            (ProviderId::OTHER, Begin::Nothing)
        );
    }

    #[test]
    fn a_failed_lookup_is_repeated_after_ten_minutes() {
        let (mut cache, now) = (Cache::default(), Instant::now());
        cache.get(&domain(0), now);
        cache.finish(&domain(0), None, now);
        let before = now + FAILED_FOR.saturating_sub(Duration::from_millis(1));
        assert_eq!(cache.get(&domain(0), before).1, Begin::Nothing);
        assert_eq!(cache.get(&domain(0), now + FAILED_FOR).1, Begin::Lookup);
    }

    #[test]
    fn no_more_lookups_are_pending_than_the_limit() {
        let (mut cache, now) = (Cache::default(), Instant::now());
        for n in 0..MOST_PENDING {
            assert_eq!(cache.get(&domain(n), now).1, Begin::Lookup);
        }
        let next = domain(MOST_PENDING);
        assert_eq!(cache.get(&next, now).1, Begin::TooMany);
        cache.finish(&domain(0), None, now);
        assert_eq!(cache.get(&next, now).1, Begin::Lookup);
    }

    #[test]
    fn no_more_domains_are_kept_than_the_limit() {
        let (mut cache, now) = (Cache::default(), Instant::now());
        for n in 0..MOST + 9 {
            assert_eq!(cache.get(&domain(n), now).1, Begin::Lookup);
            cache.finish(&domain(n), Some(GMAIL), now);
        }
        assert_eq!((cache.entries.len(), cache.order.len()), (MOST, MOST));
        assert_eq!(cache.get(&domain(9), now), (GMAIL, Begin::Nothing));
        assert_eq!(
            cache.get(&domain(8), now),
            (ProviderId::OTHER, Begin::Lookup)
        );
    }
}
