//! Notifications to systemd (`sd_notify(3)`), for services with `Type=notify`, `Type=notify-reload` or `WatchdogSec=`. Without systemd
//! they do nothing.

use std::future::{Future, pending};
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// The exporter listens. It does not wait for the first collection: Twilio's failures are values of metrics.
pub fn ready() {
    notify(&[NotifyState::Ready]);
}

/// The exporter reloads its configuration, until [`ready`].
pub fn reloading() {
    // systemd compares this time with that of its signal.
    if let Ok(now) = NotifyState::monotonic_usec_now() {
        notify(&[NotifyState::Reloading, now]);
    }
}

/// The exporter shuts down.
pub fn stopping() {
    notify(&[NotifyState::Stopping]);
}

/// Notifies systemd's watchdog, as long as `progress` resolves in time: twice per `WatchdogSec=`. Never resolves.
pub async fn watchdog<P: Future<Output = ()>>(progress: impl FnMut() -> P) {
    match sd_notify::watchdog_enabled() {
        Some(limit) => watch(limit, progress, || notify(&[NotifyState::Watchdog])).await,
        None => pending().await,
    }
}

async fn watch<P: Future<Output = ()>>(
    limit: Duration,
    mut progress: impl FnMut() -> P,
    notify: impl Fn(),
) {
    let half = (limit / 2).max(Duration::from_millis(1));
    let mut ticks = interval(half);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if timeout(half, progress()).await.is_ok() {
            notify();
        } else {
            tracing::error!(
                seconds = half.as_secs_f64(),
                "the exporter makes no progress; systemd's watchdog is not notified"
            );
        }
    }
}

fn notify(states: &[NotifyState]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "cannot notify systemd");
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::time::{Instant, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_watchdog_is_notified_twice_per_limit_and_only_while_there_is_progress() {
        let began = Instant::now();
        let (hangs, notified) = (Cell::new(false), Cell::new(0));
        let progress = || async {
            if hangs.get() {
                pending::<()>().await;
            }
        };
        let count = || notified.set(notified.get() + 1);
        let test = async {
            sleep(Duration::from_millis(10_100)).await;
            assert_eq!(notified.replace(0), 6, "at 0, 2, 4, … s");
            hangs.set(true);
            sleep(Duration::from_mins(1)).await;
            assert_eq!(notified.get(), 0);
            hangs.set(false);
            sleep(Duration::from_secs(5)).await;
            assert!(notified.get() >= 2, "{}", notified.get());
        };
        tokio::select! {
            () = watch(Duration::from_secs(4), progress, count) => {}
            () = test => {}
        }
        assert!(began.elapsed() > Duration::from_secs(75));
    }
}
