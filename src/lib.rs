//! A Prometheus exporter for Twilio Email: what became of every send, within a scrape.
//!
//! # How it works
//!
//! Twilio answers a send with an *operation* and tells what became of it only when asked. A [`registry`] remembers which
//! operations of an account there are, what was last seen of each, what of it was counted and when it is due again. A
//! scrape asks the [`collector`] for a collection. A plan comes first, a pure function of what is due: the newest page of
//! the list, which finds what is new, then windows of the list over neighbours that are due, then single reads, by the
//! fewest requests and within a budget. [`twilio`] makes the requests, within the account's limits, and turns each answer
//! into an operation or one variant of an error. The registry takes them in and tells what changed; the [`store`] saves
//! that, and from then on it is shown as counted. When everything has been read, or the scrape's [`deadline`] has come,
//! the registry gives an immutable [`snapshot`]; pure functions in [`exposition`] turn it into text, and [`web`] sends that.
//!
//! An operation is read at every scrape while it moves, and ever more rarely while it rests. After seven days Twilio
//! forgets it; its series end, and what it gave to the counters stays. A counter grows by what an operation's high-water
//! marks grow; what an operation created before the account was first watched (by Twilio's clock), or found by
//! its first collection, had when it was first seen is baseline.
//!
//! Operations that the list does not tell of, and the users' labels of all of them, come from the configuration, from
//! [`sources`] (files, looked at before each collection, and URLs, asked at their own intervals) and from senders who register
//! them over HTTP; such a registration is in the [`store`] before it is answered.
//!
//! There is no other loop that polls: Prometheus decides when, by a scrape, by a probe of one operation, or by asking for
//! targets. Scrapes that come together share one collection. One that
//! outlives its scrape goes on behind it, bounded, and the next scrape finds what it found. Accounts are collected side
//! by side, and none waits for another.
//!
//! The [`simulator`] is Twilio's other side, written from the same documents without the client's types. It is the peer
//! of the demo, of a developer and of the tests, and lets things go wrong on demand.
//!
//! # What never happens
//!
//! - No scrape ever fails, hangs or waits beyond its deadline because of Twilio. Its troubles are figures.
//! - No figure is ever invented, and none vanishes because of a failure: the last one stays, with its age.
//! - No counter is ever shown before it is saved, so none is lowered by a `kill -9`; nor is one by a corrected figure. Nor
//!   is a gauge, but while saving fails or hangs: then gauges go on.
//! - No file of the store is ever deleted for being unfit, and no directory is ever taken from another process.
//! - No counter of a label's value ever begins above 0: `rate()` sees no growth before the first sample.
//! - No series ever outlives what it is about: gauges are written anew for each scrape, from one moment.
//! - No words that Twilio makes up ever become series without end.
//! - No answer that cannot be true ever reaches a figure or a counter: not a count that is none, nor a time that contradicts the id. No
//!   single row ever changes how others are read, or costs another one.
//! - No failure is ever without a reason from the closed set in [`reason`].
//! - No list that broke off, or whose end cannot be read, is ever taken for the whole; nor is a wrong address for an account.
//! - No list ever goes on without an end, no answer is ever read beyond a limit, no redirect is ever followed.
//! - No connection that left a request unanswered ever gets another one.
//! - No request is ever made past the account's throttle: none during a pause that Twilio asked for, nor beyond its limits.
//! - No credentials that Twilio rejected are ever used again within a minute, unless another request with them authenticates.
//! - No scrape ever goes through all operations to find the few that are due or expire, or to add them up: chunks tell
//!   which, and sums are kept by differences.
//! - No operation that a budget leaves out ever loses its place: what was read longest ago goes first.
//! - No access token that cannot be had is asked for again and again, and none is fetched by two at once.
//! - No secret, certificate or key in a file needs a restart to be changed, and none is lost because the file is wrong for a while.
//! - No secret, address, subject or body ever reaches a label, a log line, an error or a page. No secret is ever an option.
//! - No source of operations is ever half in force either: what is wrong in it leaves what it listed last.
//! - No configuration is ever half in force: everything wrong in it is told at once, and nothing starts, or the one before
//!   stays.
//! - No decision ever reads a clock: the time of day comes in as a value, from [`clock`] alone, and may jump.
//!
//! # The modules
//!
//! A module uses only those above it in this table; a test holds them to it.
//!
//! | layer | modules |
//! |---|---|
//! | values, without I/O or a clock | [`operation`], [`timestamp`], [`clock_skew`], [`reason`], [`snapshot`], [`deadline`], `label`, `document`, `ongoing_failure` |
//! | the time of day; what all HTTP clients have in common; secrets and certificates that rotate | [`clock`], `http`, `rotation` |
//! | what comes in, what goes out, what is kept, the other side | [`config`], [`exposition`], [`store`], [`simulator`] |
//! | how to ask, what is known, where else operations are listed | [`twilio`], [`registry`], [`sources`] |
//! | what to ask, and when; what to save | [`collector`] |
//! | a new configuration while it runs | [`reload`] |
//! | HTTP | [`web`] |
//! | all of it together | [`app`] |
//! | the command line | [`cli`] |
//!
//! What each metric means is in [`exposition::catalogue`], from which the reference page is drawn.

pub mod app;
pub mod cli;
pub mod clock;
pub mod clock_skew;
pub mod collector;
pub mod config;
pub mod deadline;
mod document;
pub mod exposition;
mod http;
mod label;
mod ongoing_failure;
pub mod operation;
pub mod reason;
pub mod registry;
pub mod reload;
mod rotation;
pub mod simulator;
pub mod snapshot;
pub mod sources;
pub mod store;
pub mod timestamp;
pub mod twilio;
pub mod web;
