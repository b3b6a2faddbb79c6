//! Names with counters of their own: providers and domains. Their number is limited; `other` counts the rest.
//!
//! A name stays, and an email counts under the name that its domain had when the email was first seen. So no count moves from one series
//! to another. A new name exposes its counters as 0 for a while: Prometheus computes growth from two samples, and would miss what a
//! series has in its first one.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use super::counts::Counts;
use crate::store::{NameKind, SavedName};
use crate::timestamp::Timestamp;

/// The name for everything beyond the limit. Its number is 0.
const OTHER: &str = "other";
/// The most domains that are counted to find the largest ones, for each domain that can have a name.
const CANDIDATES_PER_NAME: usize = 8;
/// The limit of counted domains is at least this, whatever the limit of names. Each domain takes about 60 bytes.
const LEAST_CANDIDATES: usize = 1024;
/// One in this many names is reserved for domains that appear after the first collection.
const SHARE_FOR_LATER: usize = 4;

/// How long a new name exposes its counters as 0. Every Prometheus that scrapes at least this often sees the 0.
const ZERO_FOR: Duration = Duration::from_mins(2);
/// The `zero_until` of a name that no collection has seen yet.
const NOT_YET: Timestamp = Timestamp::from_millis(i64::MAX);

/// One name and its counters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Name<C> {
    /// Empty for a number that is missing from a damaged file.
    text: Box<str>,
    counts: C,
    /// The time until which its counters are exposed as 0.
    zero_until: Option<Timestamp>,
    /// Whether it was saved, so that a scrape exposes it.
    is_saved: bool,
    /// Whether a scrape may have exposed the 0.
    is_shown: bool,
}

/// Names and their counters.
#[derive(Debug)]
pub(super) struct NameTable<C> {
    kind: NameKind,
    /// The most names besides `other`.
    most: usize,
    /// The fewest emails of a domain that gets a name.
    least: u32,
    names: Vec<Name<C>>,
    by_name: HashMap<Box<str>, u16>,
    /// The emails of domains without a name: at least the largest domains, with counts that are too low by at most the same number.
    candidates: HashMap<Box<str>, u32>,
    /// The numbers whose counters have changed since the last save.
    unsaved: BTreeSet<u16>,
}

impl<C: Counts> NameTable<C> {
    /// A table of at most `most` names besides `other`.
    pub(super) fn new(kind: NameKind, most: usize, least: u32) -> Self {
        let mut table = Self {
            kind,
            most: most.min(usize::from(u16::MAX)),
            least,
            names: Vec::new(),
            by_name: HashMap::new(),
            candidates: HashMap::new(),
            unsaved: BTreeSet::new(),
        };
        table.add(OTHER);
        table
    }

    /// Applies another limit. Existing names stay.
    pub(super) fn set_most(&mut self, most: usize) {
        self.most = most.min(usize::from(u16::MAX));
        if most == 0 {
            self.candidates = HashMap::new();
        }
    }

    /// The most names besides `other`.
    pub(super) const fn most(&self) -> usize {
        self.most
    }

    /// The number of a name, which is added if there is room.
    pub(super) fn number_of(&mut self, name: &str) -> u16 {
        match self.by_name.get(name) {
            Some(number) => *number,
            None if self.free() > 0 => self.add(name),
            None => 0,
        }
    }

    /// The number of a domain of a new email. A domain without a number is counted, and may get one later.
    pub(super) fn number_of_email(&mut self, domain: Option<&str>) -> u16 {
        let Some(domain) = domain else {
            return 0;
        };
        if let Some(number) = self.by_name.get(domain) {
            return *number;
        }
        if self.free() == 0 {
            return 0;
        }
        if let Some(emails) = self.candidates.get_mut(domain) {
            *emails = emails.saturating_add(1);
        } else if self.candidates.len() < self.most_candidates() {
            self.candidates.insert(Box::from(domain), 1);
        } else {
            // The algorithm of Misra and Gries: a domain with more than its share of the emails stays.
            self.candidates.retain(|_, emails| {
                *emails -= 1;
                *emails > 0
            });
        }
        0
    }

    /// Gives names to the largest domains. The first time, some names are reserved for domains that appear later.
    pub(super) fn name_largest(&mut self, is_first: bool) {
        let reserved = if is_first {
            self.most / SHARE_FOR_LATER
        } else {
            0
        };
        let free = self.free().saturating_sub(reserved);
        let mut largest: Vec<(u32, Box<str>)> = self
            .candidates
            .iter()
            .filter(|(_, emails)| **emails >= self.least)
            .map(|(name, emails)| (*emails, name.clone()))
            .collect();
        largest.sort_unstable_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        for (_, name) in largest.into_iter().take(free) {
            self.candidates.remove(&name);
            self.add(&name);
        }
        if self.free() == 0 {
            self.candidates = HashMap::new();
        }
    }

    /// The counters of a number, to be changed.
    pub(super) fn count(&mut self, number: u16, count: impl FnOnce(&mut C)) {
        if let Some(name) = self.names.get_mut(usize::from(number)) {
            count(&mut name.counts);
            self.unsaved.insert(number);
        }
    }

    /// The names, by number.
    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| &*name.text)
    }

    /// The names and their counters.
    pub(super) fn counters(&self) -> BTreeMap<Box<str>, C> {
        let named = self.names.iter().filter(|name| !name.text.is_empty());
        named
            .map(|name| (name.text.clone(), name.counts.clone()))
            .collect()
    }

    /// The names whose counters are exposed as 0.
    pub(super) fn held(&self) -> BTreeSet<Box<str>> {
        let held = self.names.iter().filter(|name| name.zero_until.is_some());
        held.map(|name| name.text.clone()).collect()
    }

    /// Notes that a scrape exposed all names that were saved.
    pub(super) fn shown(&mut self) {
        let names = self.names.iter_mut();
        names.for_each(|name| name.is_shown |= name.is_saved);
    }

    /// Notes the time: after [`ZERO_FOR`] the counters of a new name are exposed as they are. A later end comes from a clock that has
    /// since been set back.
    pub(super) fn pass(&mut self, now: Timestamp) {
        for (number, name) in (0..=u16::MAX).zip(&mut self.names) {
            // `other` exists from the start, so exposing its 0 once is enough.
            let zero_for = if number == 0 {
                Duration::ZERO
            } else {
                ZERO_FOR
            };
            let zero_until = match name.zero_until {
                Some(until) if until > now + zero_for => Some(now + zero_for),
                Some(until) if until <= now && name.is_shown => None,
                other => other,
            };
            if zero_until != name.zero_until {
                name.zero_until = zero_until;
                self.unsaved.insert(number);
            }
        }
    }

    /// What the next save writes.
    pub(super) fn unsaved(&self) -> impl Iterator<Item = SavedName> {
        self.unsaved.iter().filter_map(|number| {
            let name = self.names.get(usize::from(*number))?;
            Some(SavedName {
                kind: self.kind,
                number: *number,
                name: name.text.clone(),
                zero_until: name.zero_until,
                counts: name.counts.to_list(),
            })
        })
    }

    /// Notes that these were saved. One that has changed since stays unsaved.
    pub(super) fn saved<'a>(&mut self, saved: impl Iterator<Item = &'a SavedName>) {
        for saved in saved.filter(|saved| saved.kind == self.kind) {
            let now = self.names.get_mut(usize::from(saved.number));
            let is_same = |now: &mut Name<C>| {
                now.is_saved = true;
                now.counts.to_list() == saved.counts && now.zero_until == saved.zero_until
            };
            if now.is_some_and(is_same) {
                self.unsaved.remove(&saved.number);
            }
        }
    }

    /// Marks all as unsaved: the file was lost.
    pub(super) fn lost(&mut self) {
        self.unsaved = (0..=u16::MAX).take(self.names.len()).collect();
    }

    /// Restores a name with its number.
    pub(super) fn restore(&mut self, saved: &SavedName) {
        let at = usize::from(saved.number);
        while self.names.len() <= at {
            self.names.push(Name::default());
        }
        self.by_name.insert(saved.name.clone(), saved.number);
        self.names[at] = Name {
            text: saved.name.clone(),
            counts: C::from_list(&saved.counts),
            zero_until: saved.zero_until,
            is_saved: true,
            // The previous process may have exposed it.
            is_shown: true,
        };
    }

    fn free(&self) -> usize {
        (self.most + 1).saturating_sub(self.names.len())
    }

    fn most_candidates(&self) -> usize {
        (CANDIDATES_PER_NAME * self.most).max(LEAST_CANDIDATES)
    }

    fn add(&mut self, name: &str) -> u16 {
        let Ok(number) = u16::try_from(self.names.len()) else {
            return 0;
        };
        self.names.push(Name {
            text: Box::from(name),
            counts: C::default(),
            zero_until: Some(NOT_YET),
            is_saved: false,
            is_shown: false,
        });
        self.by_name.insert(Box::from(name), number);
        self.unsaved.insert(number);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::email::Outcomes;

    fn table(most: usize, least: u32) -> NameTable<Outcomes> {
        NameTable::new(NameKind::RecipientDomain, most, least)
    }

    fn names(table: &NameTable<Outcomes>) -> Vec<&str> {
        table.all().collect()
    }

    fn emails(table: &mut NameTable<Outcomes>, domain: &str, count: usize) {
        for _ in 0..count {
            table.number_of_email(Some(domain));
        }
    }

    #[test]
    fn the_largest_domains_get_names_and_keep_them() {
        let mut table = table(4, 2);
        for (domain, count) in [("a", 5), ("b", 9), ("c", 7), ("d", 6), ("e", 1)] {
            emails(&mut table, domain, count);
        }
        assert_eq!(table.number_of_email(Some("b")), 0, "not named yet");
        table.name_largest(true);
        assert_eq!(
            names(&table),
            ["other", "b", "c", "d"],
            "one is left for later"
        );
        emails(&mut table, "f", 8);
        table.name_largest(false);
        assert_eq!(names(&table), ["other", "b", "c", "d", "f"]);
        emails(&mut table, "a", 100);
        table.name_largest(false);
        assert_eq!(table.number_of_email(Some("a")), 0);
        assert_eq!(table.number_of_email(Some("f")), 4);
        assert!(table.candidates.is_empty());
    }

    #[test]
    fn a_domain_with_few_emails_gets_no_name() {
        let mut table = table(9, 3);
        emails(&mut table, "small", 2);
        table.name_largest(false);
        assert_eq!(names(&table), ["other"]);
        emails(&mut table, "small", 1);
        table.name_largest(false);
        assert_eq!(names(&table), ["other", "small"]);
    }

    #[test]
    fn a_large_domain_is_found_among_many_small_ones() {
        let mut table = table(1, 2);
        for at in 0..20_000 {
            emails(&mut table, &format!("small{at}"), 1);
            if at % 20 == 0 {
                emails(&mut table, "large", 1);
            }
        }
        assert!(table.candidates.len() <= LEAST_CANDIDATES);
        table.name_largest(false);
        assert_eq!(names(&table), ["other", "large"]);
    }

    #[test]
    fn without_names_nothing_is_counted() {
        let mut table = table(0, 1);
        emails(&mut table, "a", 9);
        table.name_largest(false);
        assert_eq!(names(&table), ["other"]);
        assert!(table.candidates.is_empty());
        assert_eq!(table.number_of_email(None), 0);
    }

    #[test]
    fn a_new_name_exposes_0_until_a_scrape_has_shown_it_and_two_minutes_have_passed() {
        let now = Timestamp::from_millis(1_775_370_000_000);
        let mut table = table(3, 1);
        emails(&mut table, "a", 1);
        table.name_largest(false);
        let is_held = |table: &NameTable<Outcomes>| table.held().contains("a");
        table.pass(now);
        table.pass(now + ZERO_FOR);
        table.shown();
        table.pass(now + ZERO_FOR);
        assert!(is_held(&table), "no scrape has shown it");
        let saved: Vec<SavedName> = table.unsaved().collect();
        table.saved(saved.iter());
        table.shown();
        table.pass(now + ZERO_FOR - Duration::from_secs(1));
        assert!(is_held(&table));
        table.pass(now + ZERO_FOR);
        assert!(!is_held(&table));
    }

    #[test]
    fn what_was_saved_is_restored_with_its_numbers() {
        let mut before = table(3, 1);
        emails(&mut before, "a", 1);
        before.name_largest(false);
        before.count(1, |outcomes| outcomes[2] = 7);
        let saved: Vec<SavedName> = before.unsaved().collect();
        before.count(1, |outcomes| outcomes[2] = 8);
        before.saved(saved.iter());
        let rest: Vec<SavedName> = before.unsaved().collect();
        assert_eq!((saved.len(), rest.len()), (2, 1), "one changed since");
        before.lost();
        assert_eq!(before.unsaved().count(), 2);
        let mut after = table(3, 1);
        for saved in saved.iter().rev().chain(&rest) {
            after.restore(saved);
        }
        before.saved(rest.iter());
        before.shown();
        assert_eq!(after.names[1], before.names[1]);
        assert_eq!(after.number_of_email(Some("a")), 1);
    }
}
