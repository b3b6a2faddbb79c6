//! How emails are sent, and how the simulator returns them.

use std::time::Duration;

use twilio_email_exporter::simulator::operation_id;
use twilio_email_exporter::timestamp::Timestamp;

use super::mail::{Mail, stats};
use super::world::World;

/// A row that appears by now is never missed.
const LATEST: Duration = Duration::from_secs(100);

impl World {
    /// Adds an operation whose emails were created at `created`; lists have the first and the second half of them from these times on.
    pub(super) fn send(&mut self, emails: u8, created: Timestamp, visible: [Timestamp; 2]) {
        let operation = self.operations.len();
        self.operations
            .push(operation_id(created, operation as u128 + 1));
        self.firsts.push(self.mails.len());
        let emails = usize::from(emails);
        for at in 0..emails {
            let visible = visible[usize::from(at >= emails / 2)];
            let number = self.mails.len();
            let mut mail = Mail::new(number, operation, created, visible);
            mail.may_be_missed = visible.since(created) > LATEST;
            self.mails.push(mail);
        }
    }

    /// Makes the simulator return the emails as they are now, and the stats that they make.
    pub(super) fn publish(&self) {
        let now = self.clock.now();
        for (at, id) in self.operations.iter().enumerate() {
            let end = self.firsts.get(at + 1).copied().unwrap_or(self.mails.len());
            let mails = &self.mails[self.firsts[at]..end];
            let visible = || mails.iter().filter(|mail| mail.visible <= now);
            let emails = visible().map(Mail::scripted).collect();
            self.twilio.handle.put_emails(*id, emails);
            self.twilio
                .set(*id, id.created(), "COMPLETED", stats(visible()));
        }
    }

    /// Changes one of `every` emails.
    pub(super) fn each(&mut self, every: u8, change: impl Fn(&mut Mail)) {
        let mails = self.mails.iter_mut();
        let every = usize::from(every).max(1);
        mails
            .filter(|mail| mail.number % every == 0)
            .for_each(change);
    }
}
