//! Faults on demand: their text, what they do, and which request gets which.

mod effect;
mod parse;
mod rule;
mod strike;

pub use effect::{Effect, Odd, Parameter, RetryAfterHeader};
pub use parse::FaultError;
pub use rule::{Fault, FaultScope};
pub(super) use strike::strike;
