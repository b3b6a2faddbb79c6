//! Reads an answer's body up to a limit; nothing of it is ever logged.

use super::error::ApiError;
use super::transport;

/// The largest answer that is read. A page of 1,000 operations is below 600 KB; this leaves room for fields yet unknown.
pub(super) const LIMIT: usize = 8 * 1024 * 1024;

/// The whole body, or why there is none.
pub(super) async fn read(mut response: reqwest::Response) -> Result<Vec<u8>, ApiError> {
    let announced = response
        .content_length()
        .and_then(|length| usize::try_from(length).ok())
        .unwrap_or(0);
    if announced > LIMIT {
        return Err(ApiError::TooLarge { limit: LIMIT });
    }
    let mut body = Vec::with_capacity(announced);
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| transport::judge_body(&error))?
    {
        if body.len() + chunk.len() > LIMIT {
            return Err(ApiError::TooLarge { limit: LIMIT });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
