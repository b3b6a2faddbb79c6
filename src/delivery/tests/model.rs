//! Random histories of an account, compared with a simple model: a list of the rows that were read of each email.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use EmailStatus::{
    Canceled, Delivered, Failed, Inbound, Opened, Queued, Scheduled, Sent, Undelivered,
};

/// The emails of a history.
const EMAILS: usize = 24;
/// The sequences of statuses. Each email has one of them.
const LIVES: [&[EmailStatus]; 8] = [
    &[Queued, Sent, Delivered, Opened],
    &[Scheduled, Queued, Sent, Delivered],
    &[Queued, Sent, Undelivered],
    &[Queued, Sent, Delivered, Undelivered],
    &[Queued, Failed],
    &[Scheduled, Canceled],
    &[Sent, Delivered, Opened],
    &[Inbound],
];

/// What happens in one step.
#[derive(Debug, Clone)]
enum Step {
    /// A row of this email is read, with the status that is `behind` places before its current one.
    Read { email: usize, behind: usize },
    /// Each email whose number is a multiple of `divisor` gets its next status.
    Live { divisor: usize },
    /// Time passes, and emails may expire.
    Pass { hours: u32 },
    /// A collection ends.
    End,
    /// What has changed is saved.
    Save,
    /// The exporter is killed and started again.
    Kill,
    /// The file is lost and saved again.
    Lose,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        12 => (0..EMAILS, 0_usize..3).prop_map(|(email, behind)| Step::Read { email, behind }),
        4 => (1_usize..4).prop_map(|divisor| Step::Live { divisor }),
        2 => (1_u32..30).prop_map(|hours| Step::Pass { hours }),
        1 => Just(Step::End),
        3 => Just(Step::Save),
        1 => Just(Step::Kill),
        1 => Just(Step::Lose),
    ];
    prop::collection::vec(step, 1..150)
}

/// What the model knows of an email: the rows that were read, and whether the first one is baseline.
#[derive(Debug, Clone, Default)]
struct Known {
    read: Vec<(EmailStatus, Timestamp)>,
    is_baseline: bool,
}

/// The counters by the model, only from the rows that were read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Counted {
    /// By provider: outcomes, observed and unobserved deliveries.
    providers: BTreeMap<String, ([u64; 5], u64, u64)>,
    inbound: u64,
}

#[derive(Debug, Clone, Default)]
struct Model {
    known: BTreeMap<usize, Known>,
    /// The counts of emails that have expired.
    expired: Counted,
    born: Option<Timestamp>,
    ended: bool,
    expired_until: Timestamp,
}

fn provider(email: usize) -> &'static str {
    ["gmail", "outlook", "other"][email % 3]
}

fn created(email: usize) -> Timestamp {
    NOW - DAY + 4 * HOUR * u32::try_from(email).unwrap()
}

fn update(email: usize, place: usize) -> Timestamp {
    created(email) + SECOND * (1 << (2 * place + email % 4))
}

impl Model {
    fn read(&mut self, email: usize, status: EmailStatus, updated: Timestamp, now: Timestamp) {
        let created = created(email);
        if created + RETENTION <= now {
            return;
        }
        if !self.known.contains_key(&email) && created < self.expired_until {
            return;
        }
        let is_baseline = !self.ended || self.born.is_none_or(|born| created < born);
        let known = self.known.entry(email).or_insert(Known {
            read: Vec::new(),
            is_baseline,
        });
        known.read.push((status, updated));
    }

    /// The statuses of an email that were read in this order.
    fn path(known: &Known) -> Vec<(EmailStatus, Timestamp)> {
        let mut path: Vec<(EmailStatus, Timestamp)> = Vec::new();
        for (status, updated) in &known.read {
            let step = |status: EmailStatus| match status {
                Scheduled => 1,
                Queued => 2,
                Sent => 3,
                Delivered => 4,
                _ => 5,
            };
            if path
                .last()
                .is_none_or(|(last, _)| step(*status) > step(*last))
            {
                path.push((*status, *updated));
            }
        }
        path
    }

    fn add(counted: &mut Counted, email: usize, known: &Known) {
        let path = Self::path(known);
        if path[0].0 == Inbound {
            counted.inbound += u64::from(!known.is_baseline);
            return;
        }
        let entry = counted.providers.entry(provider(email).to_owned());
        let (outcomes, observed, unobserved) = entry.or_default();
        let first = usize::from(known.is_baseline);
        let has = |status: EmailStatus| {
            path[first.min(path.len())..]
                .iter()
                .any(|(each, _)| *each == status)
        };
        let was_delivered = known.is_baseline && matches!(path[0].0, Delivered | Opened);
        let is_delivered = has(Delivered) || has(Opened) && !was_delivered;
        outcomes[0] += u64::from(is_delivered);
        outcomes[1] += u64::from(has(Opened));
        outcomes[2] += u64::from(has(Undelivered));
        outcomes[3] += u64::from(has(Failed));
        outcomes[4] += u64::from(has(Canceled));
        *observed += u64::from(has(Delivered));
        *unobserved += u64::from(is_delivered && !has(Delivered));
    }

    fn counted(&self) -> Counted {
        let mut counted = self.expired.clone();
        for (email, known) in &self.known {
            Self::add(&mut counted, *email, known);
        }
        counted
    }

    fn expire(&mut self, now: Timestamp) {
        let gone: Vec<usize> = self
            .known
            .keys()
            .copied()
            .filter(|email| created(*email) + RETENTION <= now)
            .collect();
        for email in gone {
            if let Some(known) = self.known.remove(&email) {
                Self::add(&mut self.expired, email, &known);
            }
        }
        self.expired_until = self
            .expired_until
            .max(now - RETENTION + Duration::from_millis(1));
    }

    fn end(&mut self) {
        if !self.ended {
            let newest = self.known.keys().map(|email| created(*email)).max();
            self.born = self
                .born
                .max(newest.map(|newest| newest + Duration::from_millis(1)));
        }
        self.ended = true;
    }

    fn unconfirmed(&self, age: Duration, now: Timestamp) -> usize {
        let sent = |known: &Known| {
            let is_sent = Self::path(known).last().map(|(status, _)| *status) == Some(Sent);
            let times = known.read.iter().filter(|(status, _)| *status == Sent);
            times.map(|(_, updated)| *updated).min().filter(|_| is_sent)
        };
        let second = |time: Timestamp| time.as_millis().div_euclid(1000);
        let age = i64::try_from(age.as_secs()).unwrap();
        let sent = self.known.values().filter_map(sent);
        sent.filter(|sent| second(*sent) + age <= second(now))
            .count()
    }

    fn statuses(&self) -> BTreeMap<(&'static str, &'static str), u64> {
        let mut statuses = BTreeMap::new();
        for (email, known) in &self.known {
            let (last, _) = Self::path(known)[Self::path(known).len() - 1];
            if last != Inbound {
                *statuses
                    .entry((provider(*email), last.as_str()))
                    .or_default() += 1;
            }
        }
        statuses
    }
}

/// The counters of the table in the form of the model, without providers that counted nothing.
fn counted(shown: &EmailCounters) -> Counted {
    let mut providers = BTreeMap::new();
    for (name, counts) in &shown.providers {
        let counts = (counts.outcomes, counts.times.count(), counts.unobserved);
        providers.insert(name.to_string(), counts);
    }
    without_zeros(Counted {
        providers,
        inbound: shown.inbound,
    })
}

fn without_zeros(mut counted: Counted) -> Counted {
    counted.providers.retain(|_, counts| counts.0 != [0; 5]);
    counted
}

/// The content of the file.
#[derive(Debug, Default)]
struct File {
    standing: Option<SavedEmails>,
    emails: BTreeMap<EmailId, SavedEmail>,
    names: BTreeMap<(NameKind, Box<str>), SavedName>,
}

impl File {
    fn save(&mut self, table: &mut Deliveries) {
        let changes = table.changes();
        self.standing = Some(changes.standing);
        for email in &changes.emails {
            self.emails.insert(email.id, *email);
        }
        for name in &changes.names {
            self.names
                .insert((name.kind, name.name.clone()), name.clone());
        }
        table.saved(&changes);
    }

    fn load(&self) -> Deliveries {
        let mut table = table(&LIMITS);
        if let Some(standing) = &self.standing {
            let names: Vec<SavedName> = self.names.values().cloned().collect();
            table.restore(standing, &names);
            for email in self.emails.values() {
                table.restore_email(email);
            }
            table.restored();
        }
        table
    }
}

fn read(email: usize, place: usize) -> Email {
    let life = LIVES[email % LIVES.len()];
    let domain = ["gmail.com", "hotmail.de", "example.com"][email % 3];
    Email {
        updated: Some(update(email, place)),
        recipient: Domain::parse(domain),
        ..row(created(email), email as u64, life[place], SECOND)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_counter_is_that_of_the_model_after_every_step(steps in steps()) {
        let mut now = NOW;
        let mut places = [0_usize; EMAILS];
        let (mut table, mut model, mut file) = (table(&LIMITS), Model::default(), File::default());
        let mut saved_model = None;
        let mut shown = Counted::default();
        table.begin(now);
        model.born = Some(now);
        for step in steps {
            match step {
                Step::Read { email, behind } if created(email) <= now => {
                    let place = places[email].saturating_sub(behind);
                    let row = read(email, place);
                    table.ingest(&row, now);
                    model.read(email, row.status, update(email, place), now);
                }
                Step::Read { .. } => {}
                Step::Live { divisor } => {
                    for email in (0..EMAILS).filter(|email| email % divisor == 0) {
                        let last = LIVES[email % LIVES.len()].len() - 1;
                        let place = &mut places[email];
                        *place = (*place + 1).min(last);
                    }
                }
                Step::Pass { hours } => {
                    now = now + hours * HOUR;
                    table.expire(now);
                    model.expire(now);
                }
                Step::End => {
                    table.end();
                    model.end();
                }
                Step::Save => {
                    file.save(&mut table);
                    saved_model = Some(model.clone());
                }
                Step::Lose => {
                    file = File::default();
                    table.lost();
                    file.save(&mut table);
                    saved_model = Some(model.clone());
                }
                Step::Kill => {
                    table = file.load();
                    table.begin(now);
                    model = saved_model.clone().unwrap_or_default();
                    // Once something was saved, a first collection that the kill interrupted counts as ended.
                    model.ended = saved_model.is_some();
                    model.born.get_or_insert(now);
                    table.expire(now);
                    model.expire(now);
                }
            }
            let current = current(&table);
            prop_assert_eq!(counted(&current), without_zeros(model.counted()));
            for age in [5 * 60 * SECOND, HOUR, 6 * HOUR, DAY] {
                prop_assert_eq!(table.unconfirmed(age, now), model.unconfirmed(age, now));
            }
            let statuses = current.statuses.iter().flat_map(|(provider, counts)| {
                let named = EmailStatus::ALL.into_iter().zip(counts);
                named.map(move |(status, count)| ((&**provider, status.as_str()), *count))
            });
            let statuses: BTreeMap<_, _> = statuses.filter(|(_, count)| *count > 0).collect();
            prop_assert_eq!(statuses, model.statuses());
            // Exposed counters never decrease, and equal the saved ones.
            if let Some(exposed) = table.shown() {
                let exposed = counted(exposed);
                for (provider, before) in &shown.providers {
                    let after = &exposed.providers[provider];
                    prop_assert!(before.0.iter().zip(after.0).all(|(before, after)| *before <= after));
                    prop_assert!(before.1 <= after.1 && before.2 <= after.2);
                }
                let saved = saved_model.as_ref().map(Model::counted).unwrap_or_default();
                prop_assert_eq!(&exposed, &without_zeros(saved));
                shown = exposed;
            }
            // Every delivery is timed or counted as one that could not be, and domains and providers count the same emails.
            for counts in current.providers.values() {
                prop_assert_eq!(counts.outcomes[0], counts.times.count() + counts.unobserved);
            }
            let recipients = current.recipient_domains.clone().unwrap_or_default();
            for domains in [&recipients, &current.sender_domains] {
                for outcome in 0..5 {
                    let by_domain: u64 = domains.values().map(|outcomes| outcomes[outcome]).sum();
                    let by_provider: u64 = current.providers.values().map(|counts| counts.outcomes[outcome]).sum();
                    prop_assert_eq!(by_domain, by_provider);
                }
            }
        }
    }
}
