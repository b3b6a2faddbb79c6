//! Settings of the simulated account, and of its API.

use std::fmt;
use std::time::Duration;

use crate::operation::{CountingMode, RETENTION};

use super::dialect::Dialect;
use super::fault::Fault;

/// Settings of a simulator. Made with `..SimulatorSettings::default()` or from [`ApiSettings`] alone.
#[derive(Debug, Clone, Default)]
pub struct SimulatorSettings {
    /// The simulated account.
    pub world: WorldSettings,
    /// Its API.
    pub api: ApiSettings,
}

/// Which operations the simulated account has, and how they change. Made with `..WorldSettings::default()`.
#[derive(Debug, Clone)]
pub struct WorldSettings {
    /// Seed of all random numbers: the same seed and start time give the same account.
    pub seed: u64,
    /// Divides the spans of an operation's life: at 60, six hours take six minutes.
    pub speed: f64,
    /// For how long an operation is known after its creation.
    pub retention: Duration,
    /// Operations that appear on their own; none for a world in which only a test creates operations.
    pub traffic: Option<Traffic>,
    /// Preloaded operations, spread evenly over (nearly) the whole retention before the start; most have a single email.
    pub operations: u32,
    /// How many of [`WorldSettings::operations`] are large and change for a day of life.
    pub active: u32,
}

/// How the API answers. Made with `..ApiSettings::default()`.
#[derive(Debug, Clone)]
pub struct ApiSettings {
    /// The start of every path, before `/Emails`.
    pub prefix: String,
    /// How `stats` count.
    pub reading: CountingMode,
    /// How responses are written.
    pub dialect: Dialect,
    /// Who authenticates with Basic authentication. Any user name with any password while this, [`ApiSettings::tokens`] and
    /// [`ApiSettings::clients`] are empty.
    pub logins: Vec<BasicLogin>,
    /// Bearer tokens that are accepted, beside those that clients were given.
    pub tokens: Vec<String>,
    /// OAuth clients that get tokens, by id and secret; empty: any with an id and a secret.
    pub clients: Vec<BasicLogin>,
    /// How long such a token is valid.
    pub token_life: Duration,
    /// The least time that a response takes.
    pub latency: Duration,
    /// Faults that are active from the start.
    pub faults: Vec<Fault>,
}

/// Operations that come by themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traffic {
    /// Operations that exist when the simulator starts: two thirds campaigns, one third single emails.
    pub history: u32,
    /// A campaign of thousands of emails starts every so often, in time of life: `speed` divides it.
    pub campaign_every: Duration,
    /// A single email is sent every so often, in time of life.
    pub single_every: Duration,
    /// Whether every sixth campaign loses a third of its emails, the first of the run among them.
    pub trouble: bool,
}

/// A name and its password: an account's SID and token, a key's, or an OAuth client's id and secret.
#[derive(Clone, PartialEq, Eq)]
pub struct BasicLogin {
    /// What stands before the colon.
    pub username: String,
    /// What stands after it.
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
    /// An account without operations whose API answers so.
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
            trouble: true,
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
    /// Without the password: settings are logged.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BasicLogin")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}
