//! The checks of a request before it is served, if there is a web configuration: the rate limit, then Basic authentication, then
//! whether the user may change anything. It adds the configured headers to every response.

mod access_control;
mod check_queue;
mod credentials;
mod passwords;
mod token_bucket;
mod verdicts;

pub use self::access_control::AccessControl;
pub(super) use self::access_control::check_access;
pub use self::passwords::NoRandomNumbers;
