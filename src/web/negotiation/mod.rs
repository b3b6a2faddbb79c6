//! What a client accepts: the format of an exposition by `Accept`, and its compression by `Accept-Encoding`, both with q-values
//! (RFC 9110, sections 12.4 and 12.5). A header that cannot be read never makes a request fail: the default is served.

mod encoding;
mod format;
mod preferences;

pub use self::encoding::Encoding;
pub use self::format::Format;
