//! What requests show to be let in, and what else there is to show when it is refused.

use std::sync::Arc;

use reqwest::RequestBuilder;
use secrecy::ExposeSecret;

use super::error::ApiError;
use super::exchange::Exchange;
use super::secret::{Login, Pair};
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
pub(super) enum Proof {
    Basic(Pair),
    Bearer(Arc<Token>),
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

    /// What to show now.
    pub(super) async fn proof(&self, exchange: &Exchange) -> Result<Proof, ApiError> {
        Ok(match self {
            Self::Basic(login) => Proof::Basic(login.now()),
            Self::Bearer(tokens) => Proof::Bearer(tokens.get(exchange).await?),
        })
    }

    /// What to show instead of `refused`, if there is anything: the secret changed, or the token was revoked.
    pub(super) async fn instead_of(
        &self,
        refused: &Proof,
        exchange: &Exchange,
    ) -> Result<Option<Proof>, ApiError> {
        Ok(match (self, refused) {
            (Self::Basic(login), Proof::Basic(pair)) => {
                login.newer_than(pair).await.map(Proof::Basic)
            }
            (Self::Bearer(tokens), Proof::Bearer(token)) => {
                let token = tokens.instead_of(token, exchange).await?;
                token.map(Proof::Bearer)
            }
            _ => None,
        })
    }
}

impl Proof {
    /// The request with this in its head; reqwest marks the header as sensitive.
    pub(super) fn on(&self, request: RequestBuilder) -> RequestBuilder {
        match self {
            // HTTP Basic (<https://www.twilio.com/docs/email/api>).
            Self::Basic(pair) => {
                let secret = pair.secret.expose_secret();
                request.basic_auth(pair.name.expose_secret(), Some(secret))
            }
            // RFC 6750, section 2.1.
            Self::Bearer(token) => request.bearer_auth(token.text.expose_secret()),
        }
    }
}
