//! Reads the body of Twilio's response and converts a failure to an [`ApiError`].

use std::time::Duration;

use super::error::ApiError;
use crate::http::{self, BodyError};

/// The largest body of a response of the Email API. A page of 1,000 operations has less than 600 KB; the rest is for future fields.
pub(super) const LIMIT: usize = 8 * 1024 * 1024;

/// The whole body, if it has at most `limit` bytes.
pub(super) async fn read(response: http::Response, limit: usize) -> Result<Vec<u8>, ApiError> {
    let body = http::read(response, limit).await;
    body.map_err(|error| match error {
        BodyError::TooLarge(limit) => ApiError::TooLarge { limit },
        BodyError::Encoding(name) => ApiError::Encoding(name),
        BodyError::Gzip => ApiError::InvalidResponse("the body is not valid gzip"),
        BodyError::TooManyPieces => ApiError::InvalidResponse("the body has too many pieces"),
        BodyError::CutOff => ApiError::InvalidResponse("the body was cut off"),
        // The caller replaces the timeout by the request's.
        BodyError::Timeout => ApiError::Timeout(Duration::ZERO),
    })
}
