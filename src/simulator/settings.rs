//! The settings of the simulated account and of its API. Their `Debug` contains no password.

use std::fmt;
use std::time::Duration;

use crate::operation::{CountingMode, RETENTION};

use super::dialect::Dialect;
use super::fault::Fault;

/// The documented limit of `pageSize`.
const MOST_ROWS: usize = 1000;

/// The settings of a simulator. Created with `..SimulatorSettings::default()` or from [`ApiSettings`] alone.
#[derive(Debug, Clone, Default)]
pub struct SimulatorSettings {
    /// The simulated account.
    pub world: WorldSettings,
    /// Its API.
    pub api: ApiSettings,
}

/// The operations of the simulated account. Created with `..WorldSettings::default()`.
#[derive(Debug, Clone)]
pub struct WorldSettings {
    /// Seed of all random numbers: the same seed and start time give the same account.
    pub seed: u64,
    /// Divides the durations of an operation's life: at 60, six hours take six minutes.
    pub speed: f64,
    /// How long an operation exists after its creation.
    pub retention: Duration,
    /// Generated operations; `None` if only tests create operations.
    pub traffic: Option<Traffic>,
    /// Preloaded operations, spread evenly over (nearly) the whole retention before the start; most have a single email.
    pub operations: u32,
    /// How many of [`WorldSettings::operations`] are large and change for a day of life.
    pub active: u32,
    /// Recipients at different mailbox providers, one of which fails; `None`: all emails are delivered after the same time.
    pub mailboxes: Option<MailboxSettings>,
    /// Whether Twilio notices that emails are opened.
    pub tracks_opens: bool,
    /// The interval between emails that the account receives; `speed` does not divide it. `None`: it receives none.
    pub inbound_every: Option<Duration>,
}

/// Emails to the providers of [`MAILBOXES`](super::MAILBOXES). `speed` divides the times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailboxSettings {
    /// The last provider begins to defer emails this long after the start.
    pub defers_after: Duration,
    /// It begins to reject them this long after the start.
    pub rejects_after: Duration,
}

impl Default for MailboxSettings {
    /// An hour of deferrals, after half an hour without.
    fn default() -> Self {
        Self {
            defers_after: Duration::from_mins(30),
            rejects_after: Duration::from_mins(90),
        }
    }
}

/// The behavior of the API. Created with `..ApiSettings::default()`.
#[derive(Debug, Clone)]
pub struct ApiSettings {
    /// The start of every path, before `/Emails`.
    pub prefix: String,
    /// How `stats` count.
    pub reading: CountingMode,
    /// How responses are written.
    pub dialect: Dialect,
    /// The accepted logins for Basic authentication. If this, [`ApiSettings::tokens`] and [`ApiSettings::clients`] are empty, every user
    /// name with a password is accepted.
    pub logins: Vec<BasicLogin>,
    /// The accepted Bearer tokens, beside those issued to clients.
    pub tokens: Vec<String>,
    /// The OAuth clients that get tokens, by id and secret. Empty: every client with an id and a secret.
    pub clients: Vec<BasicLogin>,
    /// How long an issued token is valid.
    pub token_life: Duration,
    /// The size of the body that each row in the list of emails has, in bytes; `None`: rows have no bodies.
    pub email_body: Option<usize>,
    /// The most rows of a page, whatever a request says.
    pub most_rows: usize,
    /// The shortest time that a response takes.
    pub latency: Duration,
    /// Faults that are active from the start.
    pub faults: Vec<Fault>,
}

/// The generated operations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traffic {
    /// Operations that exist when the simulator starts: two thirds campaigns, one third single emails.
    pub history: u32,
    /// The interval between campaigns of thousands of emails; `speed` divides it.
    pub campaign_every: Duration,
    /// The interval between single emails; `speed` divides it.
    pub single_every: Duration,
    /// How long operations are created after the start; `None`: always.
    pub lasts: Option<Duration>,
    /// Whether every sixth campaign loses a third of its emails, starting with the first one after the start.
    pub fails_campaigns: bool,
}

/// A user name and its password: an account's SID and token, an API key's SID and secret, or an OAuth client's id and secret.
#[derive(Clone, PartialEq, Eq)]
pub struct BasicLogin {
    /// The part before the colon.
    pub username: String,
    /// The part after the colon.
    pub password: String,
}

impl SimulatorSettings {
    /// An account without operations.
    #[must_use]
    pub fn empty() -> Self {
        ApiSettings::default().into()
    }
}

impl From<ApiSettings> for SimulatorSettings {
    /// An account without operations, with this API.
    fn from(api: ApiSettings) -> Self {
        Self {
            world: WorldSettings::empty(),
            api,
        }
    }
}

impl WorldSettings {
    /// No operations, and none appear on their own.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            traffic: None,
            ..Self::default()
        }
    }
}

impl Default for WorldSettings {
    fn default() -> Self {
        Self {
            seed: 1,
            speed: 1.0,
            retention: RETENTION,
            traffic: Some(Traffic::default()),
            operations: 0,
            active: 0,
            mailboxes: None,
            tracks_opens: true,
            inbound_every: None,
        }
    }
}

impl Default for ApiSettings {
    fn default() -> Self {
        Self {
            prefix: "/v1".to_owned(),
            reading: CountingMode::Exclusive,
            dialect: Dialect::default(),
            logins: Vec::new(),
            tokens: Vec::new(),
            clients: Vec::new(),
            token_life: Duration::from_hours(1),
            email_body: None,
            most_rows: MOST_ROWS,
            latency: Duration::ZERO,
            faults: Vec::new(),
        }
    }
}

impl Default for Traffic {
    fn default() -> Self {
        Self {
            history: 60,
            campaign_every: Duration::from_hours(2),
            single_every: Duration::from_mins(15),
            lasts: None,
            fails_campaigns: true,
        }
    }
}

impl BasicLogin {
    /// A name and its password.
    pub fn new(username: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            username: username.into(),
            password: password.into(),
        }
    }
}

impl fmt::Debug for BasicLogin {
    /// Without the password, because settings are logged.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BasicLogin")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}
