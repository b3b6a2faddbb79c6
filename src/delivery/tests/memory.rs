//! The memory that an email uses.

use super::*;

/// The most bytes of memory that an email takes, everything included.
const MOST_BYTES: usize = 40;
/// Enough that what an empty table takes does not matter.
const EMAILS: u32 = 40_000;

/// The bytes of memory that the table takes for each of its emails after `fill`.
fn per_email(limits: &EmailLimits, fill: impl FnOnce(&mut Deliveries)) -> (usize, usize) {
    LazyLock::force(&PROVIDERS);
    LazyLock::force(&SENDER);
    LazyLock::force(&RECIPIENT);
    let mut kept = None;
    let measured = allocation_counter::measure(|| {
        let mut table = watching(limits);
        fill(&mut table);
        save(&mut table);
        kept = Some(table);
    });
    let empty = allocation_counter::measure(|| {
        let table = watching(limits);
        std::mem::forget(table);
    });
    let emails = kept.map_or(1, |table| table.len());
    let bytes = measured.bytes_current - empty.bytes_current;
    (usize::try_from(bytes).unwrap().div_ceil(emails), emails)
}

/// Fills the table with emails, one every three seconds, each of an operation of its own. `place` gives their order.
fn fill(table: &mut Deliveries, place: impl Fn(u32) -> u32, status: EmailStatus) {
    for at in 0..EMAILS {
        let place = place(at);
        let created = NOW + place * 3 * SECOND;
        let email = Email {
            operation: Some(operation(created, place.into())),
            ..row(created, place.into(), status, SECOND)
        };
        table.ingest(&email, created + SECOND);
        if at % 1000 == 0 {
            save(table);
        }
    }
}

#[test]
fn an_email_takes_at_most_forty_bytes_in_any_order_and_status() {
    // A page is newest first, and windows are read in any order.
    let pages = |at: u32| at / 1000 * 1000 + 999 - at % 1000;
    let anywhere = |at: u32| u32::try_from(u64::from(at) * 7919 % u64::from(EMAILS)).unwrap();
    let backwards = |at: u32| EMAILS - 1 - at;
    for (status, most) in [(EmailStatus::Sent, MOST_BYTES), (EmailStatus::Failed, 24)] {
        for (name, order) in [
            ("pages", &pages as &dyn Fn(u32) -> u32),
            ("anywhere", &anywhere),
            ("backwards", &backwards),
        ] {
            let (bytes, emails) = per_email(&LIMITS, |table| fill(table, order, status));
            assert_eq!(emails, EMAILS as usize);
            assert!(bytes <= most, "{bytes} bytes: {status:?}, {name}");
        }
    }
}

#[test]
fn an_email_takes_at_most_forty_bytes_while_operations_are_left_out() {
    let limits = EmailLimits {
        max_emails: EMAILS as usize / 2,
        ..LIMITS
    };
    let (bytes, emails) = per_email(&limits, |table| {
        fill(table, |at| at, EmailStatus::Sent);
        assert!(table.is_full());
    });
    // A few operations share the mark of a known one, so they are admitted, too.
    assert!((limits.max_emails..limits.max_emails + 20).contains(&emails));
    assert!(bytes <= MOST_BYTES, "{bytes} bytes");
}

#[test]
fn an_email_that_is_finished_takes_less() {
    let (bytes, _) = per_email(&LIMITS, |table| {
        fill(table, |at| at, EmailStatus::Sent);
        fill(table, |at| at, EmailStatus::Delivered);
        fill(table, |at| at, EmailStatus::Opened);
    });
    assert!(bytes <= 24, "{bytes} bytes");
}
