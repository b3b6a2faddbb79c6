//! Tests of the exporter from outside, in one binary.

mod accounts;
mod binary;
mod exposition;
mod faults;
mod golden;
mod layers;
mod model;
mod privacy;
mod prometheus;
mod promises;
mod scrape;
mod storage;
mod support;
mod variants;
mod web;
