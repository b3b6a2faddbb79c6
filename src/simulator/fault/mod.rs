//! Faults on demand: their grammar, their effects, and the choice of the faults for a request.

mod effect;
mod parse;
mod rule;
mod strike;

pub use effect::{Effect, Odd, Parameter, RetryAfterHeader};
pub use parse::FaultError;
pub use rule::{Fault, FaultScope};
pub(super) use strike::strike;
