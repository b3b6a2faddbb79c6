//! Tests of the exporter from outside, in one binary.

mod accounts;
mod api;
mod binary;
mod credentials;
mod dashboards;
mod exposition;
mod faults;
mod golden;
mod implausible;
mod landing;
mod layers;
mod model;
mod privacy;
mod probe;
mod prometheus;
mod promises;
mod reload;
mod scrape;
mod service_discovery;
mod sources;
mod storage;
mod support;
mod tags;
mod variants;
mod watching;
mod web;
