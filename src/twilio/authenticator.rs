//! The authentication of one account: by its credentials or by an access token. After a rejection it decides which credentials to
//! use next, and when.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret;
use secrecy::zeroize::Zeroizing;
use url::Url;

use super::error::ApiError;
use super::requester::Requester;
use super::secret::{CredentialPair, LiveCredentials};
use super::throttle::Server;
use super::token::Token;
use super::tokens::Tokens;
use super::transport::TransportError;
use crate::clock::Clock;
use crate::config::{self, Credentials};
use crate::diagnosis::Login;
use crate::http::{NoResponse, Request};
use crate::timestamp::Timestamp;

/// The first letters of an API key's SID (<https://www.twilio.com/docs/glossary/what-is-a-sid>).
const API_KEY_PREFIX: &str = "SK";

/// The authentication of one account.
#[derive(Debug)]
pub(super) enum Authenticator {
    /// A user name and a secret.
    Basic(Box<LiveCredentials>),
    /// Access tokens of an OAuth client.
    Bearer(Box<Tokens>),
}

/// The credentials of one request.
#[derive(Debug, Clone)]
pub(super) struct Authorization {
    /// The account's credentials.
    pub(super) credentials: CredentialPair,
    /// The access token, for an OAuth client.
    token: Option<Arc<Token>>,
}

impl Authenticator {
    pub(super) fn new(account: &config::Account, clock: Clock) -> Result<Self, TransportError> {
        Ok(match &account.credentials {
            Credentials::Basic { username, password } => Self::Basic(Box::new(
                LiveCredentials::new(&account.name, username, password),
            )),
            Credentials::Client(client) => {
                let tokens = Tokens::new(&account.name, client, &account.network, clock)?;
                Self::Bearer(Box::new(tokens))
            }
        })
    }

    /// To be called when a collection begins. Reads secrets from files again.
    pub(super) async fn begin(&self) {
        match self {
            Self::Basic(login) => login.refresh().await,
            Self::Bearer(tokens) => tokens.begin().await,
        }
    }

    /// The end of the token endpoint's pause, while requests need a new token.
    pub(super) fn paused_until(&self, requester: &Requester) -> Option<Timestamp> {
        match self {
            Self::Basic(_) => None,
            Self::Bearer(tokens) => tokens.paused_until(requester),
        }
    }

    /// When the credentials are tried again, if Twilio rejected them and there is no token to use meanwhile.
    pub(super) fn next_login_at(&self, requester: &Requester) -> Option<Timestamp> {
        let api = requester.login(Server::Api).retry_at(&self.login().now());
        api.or_else(|| match self {
            Self::Basic(_) => None,
            Self::Bearer(tokens) => tokens.next_login_at(requester),
        })
    }

    /// The credentials for a request now.
    ///
    /// # Errors
    /// When there is no token, and during the backoff of rejected credentials.
    pub(super) async fn authorization(
        &self,
        requester: &Requester,
    ) -> Result<Authorization, ApiError> {
        let mut credentials = self.login().now();
        if let Err(rejected) = requester.login(Server::Api).check(&credentials) {
            // The file may contain other credentials now.
            let newer = self.login().newer_than(&credentials).await;
            credentials = newer.ok_or(rejected)?;
        }
        let token = match self {
            Self::Basic(_) => None,
            Self::Bearer(tokens) => Some(tokens.get(requester).await?),
        };
        Ok(Authorization { credentials, token })
    }

    /// The replacement for the rejected credentials `refused`: the secret from its file if it changed, or a new token. `None` if there is
    /// none.
    pub(super) async fn instead_of(
        &self,
        refused: &Authorization,
        requester: &Requester,
    ) -> Result<Option<Authorization>, ApiError> {
        if let (Self::Bearer(tokens), Some(token)) = (self, &refused.token) {
            let token = tokens.instead_of(token, requester).await?;
            return Ok(token.map(|token| Authorization {
                credentials: self.login().now(),
                token: Some(token),
            }));
        }
        let newer = self.login().newer_than(&refused.credentials).await;
        Ok(newer.map(|credentials| Authorization {
            credentials,
            token: None,
        }))
    }

    /// The token endpoint.
    pub(super) fn token_url(&self) -> Option<&Url> {
        match self {
            Self::Basic(_) => None,
            Self::Bearer(tokens) => Some(tokens.url()),
        }
    }

    /// What kind of credentials these are.
    pub(super) fn kind(&self) -> Login {
        match self {
            Self::Bearer(_) => Login::OauthClient,
            Self::Basic(login) => match login.now().name.expose_secret() {
                name if name.starts_with(API_KEY_PREFIX) => Login::ApiKey,
                _ => Login::AuthToken,
            },
        }
    }

    const fn login(&self) -> &LiveCredentials {
        match self {
            Self::Basic(login) => login,
            Self::Bearer(tokens) => tokens.client(),
        }
    }
}

impl Authorization {
    /// Adds the header to `request`.
    pub(super) fn on(&self, request: Request) -> Result<Request, NoResponse> {
        let header = if let Some(token) = &self.token {
            // RFC 6750, section 2.1.
            format!("Bearer {}", token.text.expose_secret())
        } else {
            // HTTP Basic (<https://www.twilio.com/docs/email/api>).
            let CredentialPair { name, secret } = &self.credentials;
            let pair = format!("{}:{}", name.expose_secret(), secret.expose_secret());
            format!("Basic {}", STANDARD.encode(&*Zeroizing::new(pair)))
        };
        request.authorized(&Zeroizing::new(header))
    }
}
