//! A Prometheus exporter for Twilio Email operations.

pub mod cli;
pub mod config;
pub mod exposition;
pub mod operation;
pub mod reason;
pub mod simulator;
pub mod snapshot;
pub mod timestamp;
