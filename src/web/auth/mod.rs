//! What a request has to pass before it is served, if there is a web configuration: the rate limit, then Basic authentication, then
//! whether the user may change anything. Adds the configured headers to every response.

mod credentials;
mod guard;
mod line;
mod passwords;
mod token_bucket;
mod verdicts;

pub use self::guard::Guard;
pub(super) use self::guard::guard;
pub use self::passwords::NoRandomNumbers;
