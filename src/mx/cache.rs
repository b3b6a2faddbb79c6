//! The results of lookups. Both their age and the number of domains are limited.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use crate::email::{Domain, ProviderId};

/// The most domains: about 10 MB.
const MOST: usize = 50_000;
/// The most lookups that wait or run. A lookup beyond them begins when the next email to the domain comes.
const MOST_PENDING: usize = 1_000;
/// How long the mail exchangers of a domain are used. They change once in years.
const KEPT: Duration = Duration::from_hours(24);
/// How long a failed lookup is not repeated.
const FAILED_FOR: Duration = Duration::from_mins(10);

/// What was looked up.
#[derive(Debug, Default)]
pub(super) struct Cache {
    entries: HashMap<Domain, Entry>,
    /// Each domain once, in order of arrival.
    order: VecDeque<Domain>,
    pending: usize,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    /// `None` before the first lookup that succeeded.
    provider: Option<ProviderId>,
    /// `None` while a lookup waits or runs.
    until: Option<Instant>,
}

/// What is known of a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) provider: ProviderId,
    /// Whether its first lookup waits or runs.
    pub(super) is_awaited: bool,
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
    /// What is known of a domain. A provider that was found long ago is used until the next lookup has finished.
    pub(super) fn get(&mut self, domain: &Domain, now: Instant) -> (Known, Begin) {
        let entry = self.entries.get(domain).copied();
        let provider = entry.and_then(|entry| entry.provider);
        let known = |is_pending| Known {
            provider: provider.unwrap_or(ProviderId::OTHER),
            is_awaited: is_pending && provider.is_none(),
        };
        if let Some(Entry { until, .. }) = entry
            && until.is_none_or(|until| now < until)
        {
            return (known(until.is_none()), Begin::Nothing);
        }
        if self.pending == MOST_PENDING {
            return (known(false), Begin::TooMany);
        }
        self.pending += 1;
        let until = None;
        self.put(domain, Entry { provider, until });
        (known(true), Begin::Lookup)
    }

    /// Whether the first lookup of a domain waits or runs.
    pub(super) fn is_awaited(&self, domain: &Domain) -> bool {
        let entry = self.entries.get(domain);
        entry.is_some_and(|entry| entry.until.is_none() && entry.provider.is_none())
    }

    /// Takes the result of a lookup; `None`: it failed.
    pub(super) fn finish(&mut self, domain: &Domain, found: Option<ProviderId>, now: Instant) {
        self.pending = self.pending.saturating_sub(1);
        let known = self.entries.get(domain).and_then(|entry| entry.provider);
        let kept = if found.is_some() { KEPT } else { FAILED_FOR };
        let entry = Entry {
            provider: found.or(known),
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

    /// The provider of a domain, whether it is awaited, and what to begin.
    fn get(cache: &mut Cache, n: usize, now: Instant) -> (ProviderId, bool, Begin) {
        let (known, begin) = cache.get(&domain(n), now);
        let is_pending = begin == Begin::Nothing && known.is_awaited;
        assert!(!is_pending || cache.is_awaited(&domain(n)));
        (known.provider, known.is_awaited, begin)
    }

    #[test]
    fn a_domain_is_looked_up_once_and_again_after_a_day() {
        let (mut cache, now) = (Cache::default(), Instant::now());
        let other = ProviderId::OTHER;
        assert_eq!(get(&mut cache, 0, now), (other, true, Begin::Lookup));
        assert_eq!(get(&mut cache, 0, now), (other, true, Begin::Nothing));
        cache.finish(&domain(0), Some(GMAIL), now);
        assert!(!cache.is_awaited(&domain(0)));
        let before = now + KEPT.saturating_sub(Duration::from_millis(1));
        assert_eq!(get(&mut cache, 0, before), (GMAIL, false, Begin::Nothing));
        let later = now + KEPT;
        assert_eq!(get(&mut cache, 0, later), (GMAIL, false, Begin::Lookup));
        assert_eq!(get(&mut cache, 0, later), (GMAIL, false, Begin::Nothing));
        cache.finish(&domain(0), None, later);
        let after = later + FAILED_FOR;
        let kept = get(&mut cache, 0, after);
        assert_eq!(kept, (GMAIL, false, Begin::Lookup), "kept");
        cache.finish(&domain(0), Some(other), after);
        assert_eq!(get(&mut cache, 0, after), (other, false, Begin::Nothing));
    }

    #[test]
    fn a_failed_lookup_is_repeated_after_ten_minutes_and_nothing_waits_meanwhile() {
        let (mut cache, now) = (Cache::default(), Instant::now());
        get(&mut cache, 0, now);
        cache.finish(&domain(0), None, now);
        let before = now + FAILED_FOR.saturating_sub(Duration::from_millis(1));
        let other = ProviderId::OTHER;
        assert_eq!(get(&mut cache, 0, before), (other, false, Begin::Nothing));
        let after = now + FAILED_FOR;
        assert_eq!(get(&mut cache, 0, after).2, Begin::Lookup);
    }

    #[test]
    fn no_more_lookups_are_pending_than_the_limit() {
        let (mut cache, now) = (Cache::default(), Instant::now());
        for n in 0..MOST_PENDING {
            assert_eq!(get(&mut cache, n, now).2, Begin::Lookup);
        }
        let next = get(&mut cache, MOST_PENDING, now);
        assert_eq!(next, (ProviderId::OTHER, false, Begin::TooMany));
        cache.finish(&domain(0), None, now);
        assert_eq!(get(&mut cache, MOST_PENDING, now).2, Begin::Lookup);
    }

    #[test]
    fn no_more_domains_are_kept_than_the_limit() {
        let (mut cache, now) = (Cache::default(), Instant::now());
        for n in 0..MOST + 9 {
            assert_eq!(get(&mut cache, n, now).2, Begin::Lookup);
            cache.finish(&domain(n), Some(GMAIL), now);
        }
        assert_eq!((cache.entries.len(), cache.order.len()), (MOST, MOST));
        assert_eq!(get(&mut cache, 9, now), (GMAIL, false, Begin::Nothing));
        let forgotten = get(&mut cache, 8, now);
        assert_eq!(forgotten, (ProviderId::OTHER, true, Begin::Lookup));
    }
}
