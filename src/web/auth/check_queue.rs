//! The passwords that wait for their check. Their number is bounded in total and per client, so that one client with wrong passwords does
//! not keep the others out.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::web::connections::network_of;

/// The most waiting passwords. With a usual hash (70 ms) the last one waits for less than 5 s, half of a usual scrape timeout.
const MOST_WAITING: usize = 64;
/// The most waiting passwords of one client. Prometheus begins with a few connections at once.
const MOST_WAITING_PER_CLIENT: usize = 8;

/// The passwords that wait, as a number per client.
#[derive(Debug, Default)]
pub(super) struct CheckQueue(Arc<Mutex<BTreeMap<Client, usize>>>);

/// The network of a client; `None` over a unix socket.
type Client = Option<IpAddr>;

/// A place in the queue, until it is dropped.
#[derive(Debug)]
pub(super) struct QueuePlace {
    queue: Arc<Mutex<BTreeMap<Client, usize>>>,
    client: Client,
}

impl CheckQueue {
    /// Takes a place; `None` if the queue is full.
    pub(super) fn enter(&self, address: Option<IpAddr>) -> Option<QueuePlace> {
        let client = address.map(network_of);
        let mut taken = self.0.lock();
        let all: usize = taken.values().sum();
        let own = taken.get(&client).copied().unwrap_or(0);
        if all >= MOST_WAITING || own >= MOST_WAITING_PER_CLIENT {
            return None;
        }
        taken.insert(client, own + 1);
        Some(QueuePlace {
            queue: Arc::clone(&self.0),
            client,
        })
    }
}

impl Drop for QueuePlace {
    fn drop(&mut self) {
        let mut taken = self.queue.lock();
        if let Some(own) = taken.get_mut(&self.client) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_limited_per_client_and_in_total() {
        let queue = CheckQueue::default();
        let address = |number: u8| Some(IpAddr::from([127, 0, 0, number]));
        let mut places: Vec<QueuePlace> = (0..MOST_WAITING_PER_CLIENT)
            .map(|_| queue.enter(address(1)).unwrap())
            .collect();
        assert!(queue.enter(address(1)).is_none());
        for client in 2.. {
            let Some(place) = queue.enter(address(client)) else {
                break;
            };
            places.push(place);
            places.extend(queue.enter(address(client)));
        }
        assert_eq!(places.len(), MOST_WAITING);
        assert!(queue.enter(None).is_none());
        places.clear();
        assert!(queue.enter(None).is_some());
        assert!(
            queue.0.lock().is_empty(),
            "nothing is kept of former clients"
        );
    }

    #[test]
    fn the_addresses_of_an_ipv6_network_are_one_client() {
        let queue = CheckQueue::default();
        let places: Vec<_> = (0..=MOST_WAITING_PER_CLIENT)
            .map(|number| queue.enter(Some(format!("2001:db8::{number}").parse().unwrap())))
            .collect();
        let taken = places.iter().filter(|place| place.is_some()).count();
        assert_eq!(taken, MOST_WAITING_PER_CLIENT);
        assert!(
            queue
                .enter(Some("2001:db8:0:1::1".parse().unwrap()))
                .is_some()
        );
    }
}
