//! What a body that cannot be read means to whoever asks Twilio.

use std::time::Duration;

use super::error::ApiError;
use crate::http::{self, BodyError};

/// The largest answer of the Email API that is read. A page of 1,000 operations is below 600 KB; this leaves room for fields yet unknown.
pub(super) const LIMIT: usize = 8 * 1024 * 1024;

/// The whole body, if it has no more than `limit` bytes, or why there is none.
pub(super) async fn read(response: reqwest::Response, limit: usize) -> Result<Vec<u8>, ApiError> {
    let body = http::read(response, limit).await;
    body.map_err(|error| match error {
        BodyError::TooLarge(limit) => ApiError::TooLarge { limit },
        BodyError::Encoding(name) => ApiError::Encoding(name),
        BodyError::Gzip => ApiError::InvalidResponse("it is said to be gzip and is not"),
        BodyError::TooManyPieces => ApiError::InvalidResponse("it came in far too many pieces"),
        BodyError::CutOff => ApiError::InvalidResponse("it was cut off"),
        // The limit is the request's; the client fills it in.
        BodyError::Timeout => ApiError::Timeout(Duration::ZERO),
    })
}
