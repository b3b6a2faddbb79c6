//! Runs one future at a time on a task of its own. A caller that wants another run meanwhile joins the current one.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// At most one run, which continues even if its first caller stops waiting.
#[derive(Debug)]
pub(super) struct Runner<P> {
    current: Mutex<Option<Current<P>>>,
}

#[derive(Debug)]
struct Current<P> {
    run: Run<P>,
    task: AbortHandle,
}

/// A run that a caller began or joined.
#[derive(Debug)]
pub(super) struct Run<P> {
    pub(super) progress: Arc<P>,
    finished: watch::Receiver<bool>,
}

impl<P> Default for Runner<P> {
    fn default() -> Self {
        Self {
            current: Mutex::new(None),
        }
    }
}

impl<P: Default> Runner<P> {
    /// Spawns the future that `start` returns, or joins the current run.
    pub(super) fn begin<F>(&self, start: impl FnOnce(Arc<P>) -> F) -> Run<P>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut current = self.current.lock();
        if let Some(current) = current.as_ref().filter(|current| current.run.is_running()) {
            return current.run.clone();
        }
        let (finish, finished) = watch::channel(false);
        let progress = Arc::new(P::default());
        let future = start(Arc::clone(&progress));
        let run = Run { progress, finished };
        let task = tokio::spawn(async move {
            future.await;
            finish.send_replace(true);
        });
        *current = Some(Current {
            run: run.clone(),
            task: task.abort_handle(),
        });
        run
    }

    /// The current run.
    pub(super) fn current(&self) -> Option<Run<P>> {
        let current = self.current.lock();
        let current = current.as_ref().filter(|current| current.run.is_running());
        current.map(|current| current.run.clone())
    }

    /// Aborts the current run.
    pub(super) fn stop(&self) {
        if let Some(current) = self.current.lock().take() {
            current.task.abort();
        }
    }
}

impl<P> Run<P> {
    /// Returns when the run has finished, panicked or been aborted.
    pub(super) async fn finished(&self) {
        // A closed channel means that the task is gone.
        let _ = self.finished.clone().wait_for(|finished| *finished).await;
    }

    fn is_running(&self) -> bool {
        self.finished.has_changed().is_ok() && !*self.finished.borrow()
    }
}

impl<P> Clone for Run<P> {
    fn clone(&self) -> Self {
        Self {
            progress: Arc::clone(&self.progress),
            finished: self.finished.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn whoever_comes_during_a_run_joins_it() {
        let runner = Runner::<AtomicU32>::default();
        let (open, gate) = watch::channel(false);
        let begin = || {
            let mut gate = gate.clone();
            runner.begin(|runs| async move {
                runs.fetch_add(1, Ordering::Relaxed);
                let _ = gate.wait_for(|open| *open).await;
            })
        };
        let (first, joined) = (begin(), begin());
        assert!(runner.current().is_some());
        open.send_replace(true);
        first.finished().await;
        joined.finished().await;
        assert_eq!(joined.progress.load(Ordering::Relaxed), 1);
        assert!(runner.current().is_none());
        begin().finished().await;
    }

    #[tokio::test]
    async fn a_run_that_panics_or_is_stopped_has_finished() {
        let runner = Runner::<()>::default();
        let run = runner.begin(|_| async { panic!("made up") });
        run.finished().await;
        assert!(runner.current().is_none());
        let run = runner.begin(|_| std::future::pending());
        let waited = tokio::time::timeout(Duration::from_millis(1), run.finished()).await;
        assert!(waited.is_err());
        runner.stop();
        run.finished().await;
        assert!(runner.current().is_none());
    }
}
