//! Compresses responses. [`Compressors`] compresses bytes, and [`responses`] applies it to every response that is not compressed yet.
//! [`KeptBlocks`] compresses expositions and keeps the compressed form of what does not change; `expositions` uses it once for all
//! scrapers that get the same text.

mod compressors;
mod kept_blocks;
mod responses;
mod stream;

pub use self::compressors::Compressors;
pub use self::kept_blocks::KeptBlocks;
pub(super) use self::responses::compress;
