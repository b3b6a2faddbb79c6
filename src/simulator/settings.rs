//! What the simulated account is like.

use std::fmt;
use std::time::Duration;

use crate::operation::{CountingMode, RETENTION};

use super::dialect::Dialect;
use super::fault::Fault;

/// What the simulated account is like and how its API answers. Made with `..Settings::default()`.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What stands before `/Emails` in every path.
    pub prefix: String,
    /// Decides everything that is left to chance.
    pub seed: u64,
    /// Divides the spans of an operation's life: at 60, six hours take six minutes.
    pub speed: f64,
    /// For how long an operation is known after its creation.
    pub retention: Duration,
    /// Operations that come by themselves; none for a world in which only a test makes some.
    pub traffic: Option<Traffic>,
    /// Preloaded operations, spread evenly over (nearly) the whole retention before the start; most have a single email.
    pub operations: u32,
    /// How many of [`Settings::operations`] are large and keep moving for a day of life.
    pub active: u32,
    /// How `stats` count.
    pub reading: CountingMode,
    /// How answers are written.
    pub dialect: Dialect,
    /// Who may ask by Basic authentication; when this, [`Settings::tokens`] and [`Settings::clients`] are empty, anyone with a
    /// name and a password.
    pub logins: Vec<Login>,
    /// What is accepted as `Authorization: Bearer …`, beside the tokens that clients were given.
    pub tokens: Vec<String>,
    /// Which OAuth clients are given tokens, by id and secret; empty: any with an id and a secret.
    pub clients: Vec<Login>,
    /// For how long such a token is good.
    pub token_life: Duration,
    /// How long every answer takes at least.
    pub latency: Duration,
    /// What goes wrong from the start.
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
pub struct Login {
    /// What stands before the colon.
    pub username: String,
    /// What stands after it.
    pub password: String,
}

impl Settings {
    /// The same account without anything in it.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            traffic: None,
            ..Self::default()
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            prefix: "/v1".to_owned(),
            seed: 1,
            speed: 1.0,
            retention: RETENTION,
            traffic: Some(Traffic::default()),
            operations: 0,
            active: 0,
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

impl Login {
    /// A name and its password.
    pub fn new(username: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            username: username.into(),
            password: password.into(),
        }
    }
}

impl fmt::Debug for Login {
    /// Without the password: settings are logged.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}
