//! The scrapes and probes that may be served at the same time. The last slots are for clients that have none, so that one client with
//! many scrapes does not prevent those of others.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::connections::network_of;

/// One of this many slots is for clients that have none: of 40 slots 5, enough for the usual two or three Prometheus servers.
const PART_FOR_OTHERS: usize = 8;

/// The slots.
#[derive(Debug)]
pub struct ScrapeSlots {
    most: usize,
    taken: Arc<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    /// By client; `None` over unix sockets, where a proxy sends for many clients.
    clients: Mutex<BTreeMap<Option<IpAddr>, usize>>,
    released: Notify,
}

/// One slot, until it is dropped.
pub(super) struct Slot {
    taken: Arc<Taken>,
    client: Option<IpAddr>,
}

impl ScrapeSlots {
    /// Slots for at most `most` requests at the same time.
    #[must_use]
    pub fn new(most: NonZeroUsize) -> Self {
        Self {
            most: most.get(),
            taken: Arc::default(),
        }
    }

    /// Takes a slot for a client at `address`; `None` without a free one.
    pub(super) fn take(&self, address: Option<IpAddr>) -> Option<Slot> {
        let client = address.map(network_of);
        let mut clients = self.taken.clients.lock();
        let all: usize = clients.values().sum();
        let own = clients.get(&client).copied().unwrap_or(0);
        let for_others = if client.is_some() && own > 0 {
            self.most / PART_FOR_OTHERS
        } else {
            0
        };
        if all + for_others >= self.most {
            return None;
        }
        clients.insert(client, own + 1);
        Some(Slot {
            taken: Arc::clone(&self.taken),
            client,
        })
    }

    /// Takes a slot as soon as one is free.
    pub(super) async fn wait(&self, address: Option<IpAddr>) -> Slot {
        loop {
            let mut released = pin!(self.taken.released.notified());
            // Before the check, so that a slot released after it is noticed.
            released.as_mut().enable();
            if let Some(slot) = self.take(address) {
                return slot;
            }
            released.await;
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut clients = self.taken.clients.lock();
        if let Some(own) = clients.get_mut(&self.client) {
            *own -= 1;
            if *own == 0 {
                clients.remove(&self.client);
            }
        }
        drop(clients);
        self.taken.released.notify_waiters();
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(most: usize) -> ScrapeSlots {
        ScrapeSlots::new(NonZeroUsize::new(most).unwrap())
    }

    fn all_of(slots: &ScrapeSlots, address: Option<IpAddr>) -> Vec<Slot> {
        std::iter::from_fn(|| slots.take(address)).collect()
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_client_with_many_scrapes_leaves_slots_for_the_others() {
        let slots = slots(40);
        let many = all_of(&slots, Some(address("192.0.2.1")));
        assert_eq!(many.len(), 35);
        let others: Vec<_> = (2..=6)
            .map(|number| {
                slots
                    .take(Some(address(&format!("192.0.2.{number}"))))
                    .unwrap()
            })
            .collect();
        assert!(
            slots.take(Some(address("192.0.2.7"))).is_none(),
            "all are taken"
        );
        drop(others);
        assert!(slots.take(Some(address("192.0.2.1"))).is_none());
        drop(many);
        assert!(slots.taken.clients.lock().is_empty(), "nothing is kept");
    }

    #[test]
    fn an_ipv6_network_is_one_client_and_unix_sockets_take_all() {
        let slots = slots(16);
        let one = slots.take(Some(address("2001:db8::1"))).unwrap();
        assert_eq!(all_of(&slots, Some(address("2001:db8::2"))).len(), 13);
        drop(one);
        assert_eq!(all_of(&slots, None).len(), 16);
    }

    #[test]
    fn of_few_slots_one_client_may_have_all() {
        assert_eq!(all_of(&slots(2), Some(address("192.0.2.1"))).len(), 2);
    }

    #[tokio::test]
    async fn a_waiting_client_gets_the_slot_that_is_released() {
        let slots = slots(1);
        let first = slots.take(None).unwrap();
        let release = async {
            tokio::task::yield_now().await;
            drop(first);
        };
        tokio::join!(slots.wait(None), release);
        assert!(slots.take(None).is_some());
    }
}
