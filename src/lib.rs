//! A Prometheus exporter for Twilio Email operations.

pub mod app;
pub mod cli;
pub mod clock;
pub mod collector;
pub mod config;
pub mod deadline;
pub mod exposition;
pub mod operation;
pub mod reason;
pub mod registry;
pub mod simulator;
pub mod snapshot;
pub mod timestamp;
pub mod twilio;
pub mod web;
