//! Reads an answer's body up to a limit; nothing of it is ever logged.

use super::error::ApiError;
use super::transport;

/// The largest answer of the Email API that is read. A page of 1,000 operations is below 600 KB; this leaves room for fields yet unknown.
pub(super) const LIMIT: usize = 8 * 1024 * 1024;

/// The whole body, if it has no more than `limit` bytes, or why there is none.
pub(super) async fn read(
    mut response: reqwest::Response,
    limit: usize,
) -> Result<Vec<u8>, ApiError> {
    let announced = response
        .content_length()
        .and_then(|length| usize::try_from(length).ok())
        .unwrap_or(0);
    if announced > limit {
        return Err(ApiError::TooLarge { limit });
    }
    let mut body = Vec::with_capacity(announced);
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| transport::judge_body(&error))?
    {
        if body.len() + chunk.len() > limit {
            return Err(ApiError::TooLarge { limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
