//! Compresses responses: [`Compressors`] compresses bytes, and [`responses`] applies it to every response that is not compressed yet.
//! Expositions are compressed in `expositions`, once for all scrapers that get the same text.

mod compressors;
mod responses;

pub use self::compressors::Compressors;
pub(super) use self::responses::compress;
