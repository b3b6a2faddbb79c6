//! Faults on demand: their grammar, their effects, and the choice of the faults for a request.

mod choice;
mod effect;
mod parse;
mod rule;

pub(super) use choice::choose;
pub use effect::{Effect, InvalidValue, Parameter, RetryAfterHeader, WrongStatus};
pub use parse::FaultError;
pub use rule::{Fault, FaultScope};
