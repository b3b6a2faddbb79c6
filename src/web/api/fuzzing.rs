//! Fuzz target: the body of a registration. The parameters of the list are a part of the target `request`.

use super::body::{self, RegistrationBody};
use super::cursor::Cursor;
use super::list;
use super::problem::ProblemDetails;
use crate::label;

/// Reads `input` as the body of a registration.
///
/// # Panics
/// If an operation is accepted that may not be registered, or a response is not JSON.
pub fn registration(input: &[u8]) {
    match body::parse(input) {
        Ok(RegistrationBody::One(requested)) => check([requested]),
        Ok(RegistrationBody::List(requested)) => check(requested),
        Err(problem) => check([Err(problem)]),
    }
}

fn check(requested: impl IntoIterator<Item = Result<body::RequestedOperation, ProblemDetails>>) {
    for each in requested {
        match each {
            Ok(operation) => {
                assert!(label::check_count(operation.labels.len()).is_ok());
                for (name, value) in operation.labels.iter() {
                    assert_eq!(label::check_name(name), Ok(()));
                    assert_eq!(label::check_value(value), Ok(()));
                }
            }
            Err(problem) => {
                assert!(problem.status.is_client_error());
                serde_json::to_string(&problem).expect("a response");
            }
        }
    }
}

/// Reads the value of each parameter of the list.
pub(in crate::web) fn list_parameter(value: &str) {
    if let Ok(cursor) = value.parse::<Cursor>() {
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
    }
    let _ = list::read_limit(value);
    if let Ok((name, _)) = list::read_label(value) {
        assert!(!name.is_empty());
    }
}
