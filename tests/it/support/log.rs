//! What the exporter logs in the thread of a test.

use std::cell::RefCell;
use std::io;
use std::sync::Once;

thread_local! {
    /// What this thread has logged since [`Log::start`].
    static LOGGED: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// Writes into [`LOGGED`].
struct Here;

impl io::Write for Here {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOGGED.with_borrow_mut(|logged| logged.iter_mut().for_each(|log| log.extend(bytes)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Captures what this thread logs.
pub(crate) struct Log;

impl Log {
    /// One subscriber for all threads. `tracing` caches for each call site whether it is enabled, so with one
    /// subscriber per thread the first thread would decide for all.
    pub(crate) fn start() -> Self {
        static SUBSCRIBER: Once = Once::new();
        SUBSCRIBER.call_once(|| {
            let subscriber = tracing_subscriber::fmt()
                .with_max_level(tracing::Level::INFO)
                .with_writer(|| Here)
                .with_ansi(false)
                .without_time()
                .with_target(false)
                .finish();
            tracing::subscriber::set_global_default(subscriber).unwrap();
            tracing::callsite::rebuild_interest_cache();
        });
        LOGGED.set(Some(Vec::new()));
        Self
    }

    /// The lines since the last time.
    pub(crate) fn take(&self) -> Vec<String> {
        let Self = self;
        let logged = LOGGED.replace(Some(Vec::new())).unwrap();
        let text = String::from_utf8(logged).unwrap();
        text.lines().map(|line| line.trim().to_owned()).collect()
    }
}
