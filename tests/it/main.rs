//! Tests of the exporter from outside, in one binary.

mod exposition;
mod layers;
mod scrape;
mod support;
