//! Faults on demand: their text, what they do, and which request gets which.

mod effect;
mod parse;
mod rule;
mod strike;

pub use effect::{Effect, Odd, Parameter, RetryAfter};
pub use parse::FaultError;
pub use rule::{Fault, Scope};
pub(super) use strike::strike;
