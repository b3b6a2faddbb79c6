//! What requests show to be let in, and what else there is to show when it is refused.

use std::sync::Arc;

use reqwest::RequestBuilder;
use secrecy::ExposeSecret;
use url::Url;

use super::error::ApiError;
use super::exchange::Exchange;
use super::secret::{Login, Pair};
use super::throttle::Server;
use super::token::Token;
use super::tokens::Tokens;
use super::transport::TransportError;
use crate::clock::Clock;
use crate::config::{Account, Credentials};
use crate::timestamp::Timestamp;

/// An account's credentials at work.
#[derive(Debug)]
pub(super) enum Access {
    /// The name and the secret themselves.
    Basic(Box<Login>),
    /// Access tokens that they are good for.
    Bearer(Box<Tokens>),
}

/// What one request shows.
#[derive(Debug, Clone)]
pub(super) struct Proof {
    /// The account's credentials.
    pub(super) credentials: Pair,
    /// The token that they were good for, where the API does not see them themselves.
    token: Option<Arc<Token>>,
}

impl Access {
    pub(super) fn new(account: &Account, clock: Clock) -> Result<Self, TransportError> {
        Ok(match &account.credentials {
            Credentials::Basic { username, password } => {
                Self::Basic(Box::new(Login::new(&account.name, username, password)))
            }
            Credentials::Client(client) => {
                Self::Bearer(Box::new(Tokens::new(&account.name, client, clock)?))
            }
        })
    }

    /// A collection begins: what came from files may have changed.
    pub(super) async fn begin(&self) {
        match self {
            Self::Basic(login) => login.refresh().await,
            Self::Bearer(tokens) => tokens.begin().await,
        }
    }

    /// Until when there is nothing to show, because the token endpoint wants a pause.
    pub(super) fn paused_until(&self, exchange: &Exchange) -> Option<Timestamp> {
        match self {
            Self::Basic(_) => None,
            Self::Bearer(tokens) => tokens.paused_until(exchange),
        }
    }

    /// When the credentials are tried again, if Twilio rejected them and there is no token to use meanwhile.
    pub(super) fn next_login_at(&self, exchange: &Exchange) -> Option<Timestamp> {
        let api = exchange.login(Server::Api).retry_at(&self.login().now());
        api.or_else(|| match self {
            Self::Basic(_) => None,
            Self::Bearer(tokens) => tokens.next_login_at(exchange),
        })
    }

    /// What to show now.
    ///
    /// # Errors
    /// When there is no token, and when the credentials were rejected and wait.
    pub(super) async fn proof(&self, exchange: &Exchange) -> Result<Proof, ApiError> {
        let mut credentials = self.login().now();
        if let Err(rejected) = exchange.login(Server::Api).check(&credentials) {
            // The file may hold others by now.
            let newer = self.login().newer_than(&credentials).await;
            credentials = newer.ok_or(rejected)?;
        }
        let token = match self {
            Self::Basic(_) => None,
            Self::Bearer(tokens) => Some(tokens.get(exchange).await?),
        };
        Ok(Proof { credentials, token })
    }

    /// What to show instead of `refused`, if there is anything: the secret changed, or the token was revoked.
    pub(super) async fn instead_of(
        &self,
        refused: &Proof,
        exchange: &Exchange,
    ) -> Result<Option<Proof>, ApiError> {
        if let (Self::Bearer(tokens), Some(token)) = (self, &refused.token) {
            let token = tokens.instead_of(token, exchange).await?;
            return Ok(token.map(|token| Proof {
                credentials: self.login().now(),
                token: Some(token),
            }));
        }
        let newer = self.login().newer_than(&refused.credentials).await;
        Ok(newer.map(|credentials| Proof {
            credentials,
            token: None,
        }))
    }

    /// Where the tokens come from.
    pub(super) fn token_url(&self) -> Option<&Url> {
        match self {
            Self::Basic(_) => None,
            Self::Bearer(tokens) => Some(tokens.url()),
        }
    }

    const fn login(&self) -> &Login {
        match self {
            Self::Basic(login) => login,
            Self::Bearer(tokens) => tokens.client(),
        }
    }
}

impl Proof {
    /// The request with this in its head; reqwest marks the header as sensitive.
    pub(super) fn on(&self, request: RequestBuilder) -> RequestBuilder {
        if let Some(token) = &self.token {
            // RFC 6750, section 2.1.
            return request.bearer_auth(token.text.expose_secret());
        }
        // HTTP Basic (<https://www.twilio.com/docs/email/api>).
        let Pair { name, secret } = &self.credentials;
        request.basic_auth(name.expose_secret(), Some(secret.expose_secret()))
    }
}
