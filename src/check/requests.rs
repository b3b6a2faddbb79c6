//! The requests of one account, as few as possible: one row of the list, one operation, and one row of the list of
//! emails that the exporter reads. [`diagnosis`] judges the failures, as after a collection.

use std::sync::Arc;

use super::emails::{EmailLists, EmailRequests};
use super::result::{CheckResult, Status};
use crate::clock::Clock;
use crate::config::{Account, Credentials};
use crate::diagnosis::{self, AccountFacts, Ongoing, RequestFailure};
use crate::operation::{Operation, OperationId, RETENTION};
use crate::timestamp::Timestamp;
use crate::twilio::{ApiError, Client};

/// The length of an id after its prefix.
const CHARACTERS: u8 = 26;

/// The steps in their order. Those after a failure are skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Token,
    NameResolution,
    Connection,
    Response,
    Credentials,
    ListOperations,
    ReadOperation,
    ListEmails,
}

/// The requests of one account.
pub(super) struct Requests<'a> {
    client: &'a Client,
    account: &'a Account,
    now: Timestamp,
    listed: Option<Result<Option<OperationId>, ApiError>>,
    read: Option<(Target, Result<Operation, ApiError>)>,
    emails: EmailRequests,
    broke_off: Option<RequestFailure>,
}

/// The operation that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    /// One that the configuration or the list has.
    Known(OperationId),
    /// No operation is known: an id that no operation has.
    Unknown,
}

impl Step {
    const ALL: [Self; 8] = [
        Self::Token,
        Self::NameResolution,
        Self::Connection,
        Self::Response,
        Self::Credentials,
        Self::ListOperations,
        Self::ReadOperation,
        Self::ListEmails,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::NameResolution => "name_resolution",
            Self::Connection => "connection",
            Self::Response => "response",
            Self::Credentials => "credentials",
            Self::ListOperations => "list_operations",
            Self::ReadOperation => "read_operation",
            Self::ListEmails => "list_emails",
        }
    }

    /// The step at which every request fails with `failure`.
    const fn of(failure: &RequestFailure) -> Self {
        match failure {
            RequestFailure::NoToken(_) => Self::Token,
            RequestFailure::UnknownHost => Self::NameResolution,
            RequestFailure::ConnectionRefused
            | RequestFailure::NoConnection(_)
            | RequestFailure::NoTls(_)
            | RequestFailure::ProxyLogin
            | RequestFailure::Timeout(_) => Self::Connection,
            RequestFailure::Unauthorized => Self::Credentials,
            RequestFailure::Forbidden => Self::ListOperations,
            _ => Self::Response,
        }
    }
}

impl<'a> Requests<'a> {
    pub(super) fn new(
        client: &'a Client,
        account: &'a Account,
        email_lists: EmailLists,
        clock: &Clock,
    ) -> Self {
        Self {
            client,
            account,
            now: clock.now(),
            listed: None,
            read: None,
            emails: EmailRequests::new(email_lists),
            broke_off: None,
        }
    }

    /// Makes the requests, until one shows that all others would fail in the same way.
    pub(super) async fn make(&mut self) {
        self.client.begin().await;
        let listed = self.list_one().await;
        let is_blocked = is_blocked(listed.as_ref().err());
        let first = listed.as_ref().ok().copied().flatten();
        self.listed = Some(listed);
        if is_blocked {
            return;
        }
        let configured = self.account.operations.keys().next_back().copied();
        let target = configured
            .filter(|id| id.created() + RETENTION > self.now)
            .or(first)
            .map_or(Target::Unknown, Target::Known);
        let id = match target {
            Target::Known(id) => Some(id),
            Target::Unknown => unknown_id(self.now),
        };
        if let Some(id) = id {
            self.read = Some((target, self.client.operation(id).await));
        }
        if self.is_up() {
            let known = match target {
                Target::Known(id) => Some(id),
                Target::Unknown => None,
            };
            self.emails.make(self.client, known, self.now).await;
        }
    }

    async fn list_one(&self) -> Result<Option<OperationId>, ApiError> {
        let list = self.client.list(self.now - RETENTION, None, None);
        let rows = list.with_page_size(1).page().await?.unwrap_or_default();
        let live = rows.iter().find(|row| row.expires() > self.now);
        Ok(live.map(|row| row.id))
    }

    /// The requests were aborted.
    pub(super) fn broke_off(&mut self, failure: RequestFailure) {
        self.broke_off = Some(failure);
    }

    /// Whether Twilio accepted the credentials and returned something of its Email API.
    fn is_up(&self) -> bool {
        match (&self.listed, &self.read) {
            (Some(Ok(_)), _) | (_, Some((_, Ok(_)))) => true,
            // A server that has neither the list nor an operation may not be Twilio's.
            (Some(Err(ApiError::Forbidden)), Some((_, Err(error)))) => error.is_about_resource(),
            _ => false,
        }
    }

    /// Why all requests fail, or the list alone.
    fn facts(&self) -> AccountFacts {
        let since = |what| Ongoing {
            what,
            since: self.now,
        };
        let up = self.is_up();
        let listed = self
            .listed
            .as_ref()
            .and_then(|listed| listed.as_ref().err());
        AccountFacts {
            name: Arc::clone(&self.account.name),
            login: self.client.login(),
            host: self.client.host(),
            has_collected: true,
            up,
            failure: self.broke_off.clone().filter(|_| !up).map(since),
            list_failure: listed
                .filter(|_| self.account.discovery || !up)
                .and_then(ApiError::of_list)
                .map(since),
            ..AccountFacts::default()
        }
    }

    /// One result per step, and one about the clock.
    pub(super) fn results(&self) -> Vec<CheckResult> {
        let facts = self.facts();
        let failure = facts.failure.as_ref().or(facts.list_failure.as_ref());
        let finding = diagnosis::account(&facts).into_iter().next();
        let failed = failure.map(|failure| {
            if facts.up {
                Step::ListOperations
            } else {
                Step::of(&failure.what)
            }
        });
        let mut results = Vec::new();
        let steps = Step::ALL.into_iter().filter(|step| self.applies(*step));
        for step in steps {
            let name = step.as_str();
            results.push(match failed {
                Some(at) if at == step => match finding.clone() {
                    // A rate limit ends by itself, but nothing could be checked.
                    Some(finding) => CheckResult {
                        status: Status::Failed,
                        ..CheckResult::finding(name, finding)
                    },
                    None => CheckResult::skipped(name, "Twilio did not respond"),
                },
                Some(at) if step > at && !facts.up => {
                    CheckResult::skipped(name, "An earlier check failed")
                }
                _ => self.passed(step, &facts),
            });
        }
        results.extend(self.clock());
        results
    }

    fn applies(&self, step: Step) -> bool {
        match step {
            Step::Token => matches!(self.account.credentials, Credentials::Client(_)),
            Step::ListEmails => self.emails.are_read(),
            Step::NameResolution => self.account.base_url.domain().is_some(),
            _ => true,
        }
    }

    /// The result of a step that succeeded.
    fn passed(&self, step: Step, facts: &AccountFacts) -> CheckResult {
        let (name, host) = (step.as_str(), self.client.host());
        let ok = |what: String| CheckResult::ok(name, what);
        let has_proxy = self.account.network.proxy.is_some();
        match step {
            Step::Token => ok("Twilio issues an access token to the OAuth client".to_owned()),
            Step::NameResolution if has_proxy => {
                CheckResult::skipped(name, "A proxy may resolve the host's name")
            }
            Step::NameResolution => ok(format!("The name of {host} can be resolved")),
            Step::Connection => {
                let tls = match self.account.base_url.scheme() {
                    "https" => "a TLS connection",
                    _ => "a connection without TLS",
                };
                let by = if has_proxy {
                    ", through the proxy if needed"
                } else {
                    ""
                };
                ok(format!("{host} accepts {tls}{by}"))
            }
            Step::Response => ok(format!("{host} responds as Twilio's Email API does")),
            Step::Credentials => ok("Twilio accepts the credentials".to_owned()),
            Step::ListOperations if !self.account.discovery => {
                CheckResult::skipped(name, "Discovery is off")
            }
            Step::ListOperations => ok("Twilio returns the list of operations".to_owned()),
            Step::ReadOperation => self.read_result(name),
            Step::ListEmails => {
                let result = self.emails.result(name, facts, self.now);
                result.unwrap_or_else(|| self.missing(name))
            }
        }
    }

    fn read_result(&self, name: &'static str) -> CheckResult {
        match &self.read {
            Some((Target::Known(id), Ok(_))) => {
                CheckResult::ok(name, format_args!("Twilio returns operation {id}"))
            }
            Some((Target::Unknown, Ok(_) | Err(ApiError::NotFound { .. }))) => CheckResult::ok(
                name,
                "Twilio permits reads of single operations; the account has none of the last seven days",
            ),
            Some((Target::Known(id), Err(error))) => {
                let account = &self.account.name;
                let finding = diagnosis::unreadable_operation(account, *id, &error.to_string());
                let mut result = CheckResult::finding(name, finding);
                let is_limited = matches!(error, ApiError::RateLimited { .. });
                if !error.is_about_resource() && !is_limited {
                    result.status = Status::Failed;
                }
                result
            }
            Some((Target::Unknown, Err(error))) => CheckResult::failed(name, error),
            None => self.missing(name),
        }
    }

    /// The result of a request that was not made, or not completed.
    fn missing(&self, name: &'static str) -> CheckResult {
        let Some(failure) = &self.broke_off else {
            return CheckResult::skipped(name, "An earlier check failed");
        };
        let login = self.client.login();
        CheckResult {
            cause: failure.cause(login).to_owned(),
            cure: failure.cure(login).to_owned(),
            ..CheckResult::failed(name, failure.what(login, Some(&self.account.name)))
        }
    }

    /// Compares the clocks, if there was a response that has a time.
    fn clock(&self) -> Option<CheckResult> {
        const CLOCK: &str = "clock";
        let skew = self.client.clock_skew()?;
        Some(if skew.is_wrong() {
            CheckResult::finding(CLOCK, diagnosis::wrong_clock(skew))
        } else {
            let seconds = skew.span().as_secs();
            let what = format!("This machine's clock and Twilio's differ by {seconds} s");
            CheckResult::ok(CLOCK, what)
        })
    }
}

/// Whether the list failed in a way in which every other request would fail, too.
fn is_blocked(error: Option<&ApiError>) -> bool {
    error.is_some_and(|error| error.concerns_account() && !matches!(error, ApiError::Forbidden))
}

/// An id of `now` that no operation has, because its random part is 0.
fn unknown_id(now: Timestamp) -> Option<OperationId> {
    let millis = u64::try_from(now.as_millis()).ok()?;
    let mut bytes = [0; 23];
    bytes[22] = CHARACTERS;
    // Ten characters of five bits: the time and two zeros before it.
    bytes[..8].copy_from_slice(&(millis << 14).to_be_bytes());
    OperationId::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_no_operation_is_valid_and_of_now() {
        let now = Timestamp::from_millis(1_775_370_000_000);
        let id = unknown_id(now).unwrap();
        assert_eq!(id.created(), now);
        let text = id.to_string();
        assert!(text.ends_with("0000000000000000"), "{text}");
        assert_eq!(text.parse(), Ok(id));
    }
}
