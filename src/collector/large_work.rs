//! Work without the registry on what may be millions of operations. A thread that serves requests must not do it: requests that wait for
//! this thread would wait for as long as a second.

/// With fewer operations the work takes a few milliseconds, and another thread is not worth its cost.
const MANY: usize = 20_000;

/// Does `work` on this many `operations`, if they are many on a thread that serves no requests.
pub(super) async fn large_work<T: Send + 'static>(
    operations: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    if operations < MANY {
        return work();
    }
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The exporter is stopping, and this task with it.
            Err(_) => std::future::pending().await,
        },
    }
}

/// Frees what may be gigabytes. To free all of it at once would stop all threads that need memory for a tenth of a second.
pub(super) fn free_in_parts<T>(all: &mut Vec<T>) {
    while !all.is_empty() {
        all.truncate(all.len().saturating_sub(MANY));
        all.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_freed() {
        let mut all: Vec<_> = (0..=3 * MANY).collect();
        free_in_parts(&mut all);
        assert_eq!((all.len(), all.capacity()), (0, 0));
    }

    #[tokio::test]
    async fn only_work_on_many_operations_is_done_on_another_thread() {
        let here = std::thread::current().id();
        let place = || std::thread::current().id();
        assert_eq!(large_work(MANY - 1, place).await, here);
        assert_ne!(large_work(MANY, place).await, here);
    }

    #[tokio::test]
    #[should_panic(expected = "as a test asked for")]
    async fn a_panic_on_another_thread_is_a_panic_of_the_caller() {
        large_work(MANY, || panic!("as a test asked for")).await;
    }
}
