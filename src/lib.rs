//! A Prometheus exporter for Twilio's Email API. It exposes the stats of every operation, and reads them during the scrape.
//!
//! # How it works
//!
//! Twilio responds to a send request with an *operation*. The operation's stats must be requested: Twilio pushes nothing.
//!
//! 1. A scrape starts a collection in the [`collector`], or joins the current one.
//! 2. The [`registry`] holds each operation of an account: its last stats, its high-water marks, and when it is due.
//! 3. The collection makes a plan, a pure function of the due operations. The plan uses the fewest requests within a budget:
//!    first the newest page of the list, which contains the new operations; then windows of the list around due operations;
//!    then single reads.
//! 4. [`twilio`] makes the requests, within the account's limits. It parses each response into an operation or one variant of
//!    an error.
//! 5. The registry ingests the operations and returns what changed. The [`store`] saves the changes. Counters expose only
//!    saved values.
//! 6. When everything due was read, or at the scrape's [`deadline`], the registry returns an immutable [`snapshot`]. Pure
//!    functions in [`exposition`] write it in the format that the scraper accepts, and [`web`] compresses and sends it. Both keep the
//!    parts of the last exposition, and write and compress only those that have changed.
//!
//! An active operation is polled at every scrape. The longer an operation is idle, the less often it is polled. After seven
//! days Twilio no longer returns it: its series end, and the counters keep its emails. A counter grows by the growth of the high-water
//! marks. The first counts of an operation are its baseline, which counters do not include, if the operation was created before the
//! account was first watched (by Twilio's clock) or if the account's first collection found it.
//!
//! Operations that the list does not return, and the users' labels of all operations, come from the configuration, from
//! [`sources`] (files, which the exporter reads before each collection, and URLs, which it polls at their own intervals) and
//! from senders that register operations over HTTP. The store has saved a registration before the sender gets the response.
//!
//! No loop of the exporter polls Twilio on its own: Prometheus decides when, by a scrape, a probe of one operation, or service
//! discovery. Scrapes at the same time share one collection. A collection that takes longer than its scrape continues in the
//! background, within a limit, and the next scrape exposes what it read. Accounts are collected concurrently; no account waits for
//! another.
//!
//! The [`simulator`] is a simulated Twilio for the demo, developers and tests. It follows the same documentation, shares no types with
//! the client, and fails on demand.
//!
//! # What never happens
//!
//! - Twilio never makes a scrape fail, hang or take longer than its deadline. Twilio's failures are values of metrics.
//! - The exporter never invents a value, and no value disappears because of a failure: the last value stays, with its age.
//! - A counter is never exposed before it is saved. Neither `kill -9` nor a correction of Twilio's stats ever lowers a counter.
//!   A gauge is not exposed before it is saved either, except while saves fail or hang: then gauges stay current.
//! - A disk that hangs never makes a scrape hang. A page of a list, a probe or a snapshot waits at most 200 ms for a save, and
//!   the end of a collection at most 2 s. A save that hangs never delays another account.
//! - The exporter never deletes a store file that it cannot use, and never takes a directory from another process.
//! - A counter for a label's value never starts above 0, so `rate()` sees all of its growth.
//! - A scrape never gets the text of another collection, nor metrics of the exporter from before the scrape arrived. Text that several
//!   scrapes get is never rendered or compressed twice.
//! - A kept part of an exposition is never reused for other values: every reuse compares all values that the part was written from.
//! - An exemplar never names an operation whose emails its counter does not include.
//! - A series never remains after its operation or account: every scrape writes all gauges from one snapshot.
//! - Undocumented words of Twilio's never create an unlimited number of series.
//! - An impossible value never reaches a gauge or a counter: neither a stat that is not a count, nor a time that contradicts the
//!   operation's id. A row never changes how other rows are read, and never makes another row fail.
//! - A failure always has a reason from the closed set in [`reason`].
//! - A list that broke off, or whose end cannot be read, never counts as complete. A wrong base URL never counts as an account.
//! - A list never continues without end. A response is never read beyond a size limit. A redirect is never followed. Informational
//!   responses, HTTP/2 frames without data, and bodies in very small pieces never keep a core busy until a timeout.
//! - A client that sends slowly, sends nothing, does not read, or opens many connections never prevents a scrape of another client, and
//!   never uses unlimited memory.
//! - A connection on which a request got no response is never used again.
//! - A request never bypasses the account's throttle: the exporter makes none during a pause that Twilio requested, and none
//!   beyond the account's limits.
//! - Credentials that Twilio rejected are never used again within a minute, unless another request with them authenticates.
//! - A scrape never visits all operations to find those that are due or expired, or to add up their stats. Chunks name the due
//!   and expired operations, and sums are updated by differences.
//! - A scrape or a page never waits for work on millions of operations. After a clock was set, a list failed, emails proved another
//!   counting mode, the configuration was reloaded, a file or URL listed other operations, the state file was lost, or the exporter or the
//!   machine was stopped for long, they are changed, searched, saved or removed in slices of a few milliseconds.
//! - Counters never expose, and the store never has, a change of the counting mode for some of the operations only.
//! - An operation that does not fit into a budget never loses its place: the operation that was read longest ago comes first.
//! - An access token that cannot be fetched is never requested without a backoff, and never fetched twice at the same time.
//! - A new secret, certificate or key in a file never needs a restart, and none is lost because its file is missing or wrong for a
//!   while.
//! - A secret, an address, a subject or a body never reaches a label, a log line, an error or a page. A secret is never a
//!   command-line option.
//! - A name server never delays a collection, and gets nothing but domains of recipients, which are never logged. No lookup is made
//!   unless the user turned lookups on.
//! - A page of another site never changes anything: a request that changes something and comes from such a page is refused.
//! - A page never makes a request to Twilio, never counts as a scrape of a new label value, and has no inline script or style. No
//!   failure is worded twice: the log and the pages have the sentences of [`diagnosis`].
//! - A source of operations is never applied in part. If anything in it is wrong, its last operations stay.
//! - A reload of the web configuration never turns TLS, client certificates, their allowed names, passwords, read-only users or the
//!   rate limit off, as an incomplete file would. A key that rustls does not support is never ignored.
//! - A wrong password never delays a scrape: passwords are checked outside the async threads, a bounded number at once.
//! - A configuration is never applied in part. All its problems are reported together; then the exporter does not start, or
//!   the current configuration stays.
//! - A decision never reads a clock. The time of day is a value, which only [`clock`] reads, and it may jump.
//!
//! # The modules
//!
//! A module uses only modules above it in this table; a test enforces this.
//!
//! | layer | modules |
//! |---|---|
//! | values, without I/O or a clock | [`operation`], [`email`], [`timestamp`], [`clock_skew`], [`reason`], [`snapshot`], [`deadline`], [`diagnosis`], `label`, `document`, `ongoing_failure` |
//! | the time of day; what all HTTP clients have in common; secrets and certificates that rotate; systemd | [`clock`], `http`, `rotation`, [`systemd`] |
//! | configuration, exposition, saved state, a simulated Twilio | [`config`], [`exposition`], [`store`], [`simulator`] |
//! | which mailbox provider serves a domain, by its mail exchangers | [`mx`] |
//! | requests to Twilio, known operations, known emails, further sources of operations; TLS and users of the HTTP server | [`twilio`], [`registry`], [`delivery`], [`sources`], [`web_config`] |
//! | which requests to make, and when; what to save | [`collector`] |
//! | a new configuration while the exporter runs | [`reload`] |
//! | HTTP server; operations that a person or a script follows | [`web`], [`watch`] |
//! | one check of whether everything works | [`check`] |
//! | the whole exporter | [`app`] |
//! | the command line | [`cli`] |
//!
//! [`exposition::catalogue`] defines each metric. The reference page is generated from it.

pub mod app;
pub mod build_info;
pub mod check;
pub mod cli;
pub mod clock;
pub mod clock_skew;
pub mod collector;
pub mod config;
pub mod deadline;
pub mod delivery;
pub mod diagnosis;
mod document;
pub mod email;
pub mod exposition;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod http;
mod label;
pub mod mx;
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
pub mod systemd;
pub mod timestamp;
pub mod twilio;
pub mod watch;
pub mod web;
pub mod web_config;
