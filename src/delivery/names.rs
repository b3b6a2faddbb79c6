//! Names with counters of their own: providers and domains. Their number is limited; `other` counts the rest.
//!
//! A name stays, and an email counts under the name that its domain had when the email was first seen. So no count moves from one series
//! to another.

use std::collections::{BTreeSet, HashMap};

use super::counts::Counts;
use crate::store::{NameKind, SavedName};

/// The name of everything without a name of its own. Its number is 0.
const OTHER: &str = "other";
/// The most domains that are counted to find the largest ones, for each domain that can have a name.
const CANDIDATES_PER_NAME: usize = 8;
/// The most domains that are counted in any case. Each takes about 60 bytes.
const LEAST_CANDIDATES: usize = 1024;
/// This fraction of the names is left to domains that appear after the first collection.
const SHARE_FOR_LATER: usize = 4;

/// Names and their counters.
#[derive(Debug)]
pub(super) struct NameTable<C> {
    kind: NameKind,
    /// The most names beside `other`.
    most: usize,
    /// The fewest emails of a domain that gets a name.
    least: u32,
    names: Vec<(Box<str>, C)>,
    by_name: HashMap<Box<str>, u16>,
    /// The emails of domains without a name: at least the largest domains, with counts that are too low by the same number at most.
    candidates: HashMap<Box<str>, u32>,
    /// The numbers whose counters have changed since the last save.
    unsaved: BTreeSet<u16>,
}

impl<C: Counts> NameTable<C> {
    /// A table of at most `most` names beside `other`.
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
            // By Misra and Gries: a domain with more than its share of the emails stays.
            self.candidates.retain(|_, emails| {
                *emails -= 1;
                *emails > 0
            });
        }
        0
    }

    /// Gives names to the largest domains. The first time, some names are left to domains that appear later.
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
        if let Some((_, counts)) = self.names.get_mut(usize::from(number)) {
            count(counts);
            self.unsaved.insert(number);
        }
    }

    /// The names and their counters, by number.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &C)> {
        self.names.iter().map(|(name, counts)| (&**name, counts))
    }

    /// What the next save writes.
    pub(super) fn unsaved(&self) -> impl Iterator<Item = SavedName> {
        self.unsaved.iter().filter_map(|number| {
            let (name, counts) = self.names.get(usize::from(*number))?;
            Some(SavedName {
                kind: self.kind,
                number: *number,
                name: name.clone(),
                counts: counts.to_list(),
            })
        })
    }

    /// Notes that these were saved. One that has changed since stays unsaved.
    pub(super) fn saved<'a>(&mut self, saved: impl Iterator<Item = &'a SavedName>) {
        for saved in saved.filter(|saved| saved.kind == self.kind) {
            let now = self.names.get(usize::from(saved.number));
            if now.is_some_and(|(_, counts)| counts.to_list() == saved.counts) {
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
            self.names.push((Box::default(), C::default()));
        }
        self.by_name.insert(saved.name.clone(), saved.number);
        self.names[at] = (saved.name.clone(), C::from_list(&saved.counts));
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
        self.names.push((Box::from(name), C::default()));
        self.by_name.insert(Box::from(name), number);
        self.unsaved.insert(number);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::counts::Outcomes;

    fn table(most: usize, least: u32) -> NameTable<Outcomes> {
        NameTable::new(NameKind::RecipientDomain, most, least)
    }

    fn names(table: &NameTable<Outcomes>) -> Vec<&str> {
        table.all().map(|(name, _)| name).collect()
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
        assert!(after.all().eq(before.all()));
        assert_eq!(after.number_of_email(Some("a")), 1);
    }
}
