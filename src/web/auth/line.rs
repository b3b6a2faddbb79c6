//! The passwords that wait for their check. Their number is bounded in all and per client, so that one client with wrong
//! passwords does not take the places of the others.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::web::connections::network_of;

/// The most places. With a usual hash (70 ms) the last one waits for less than 5 s, half of a usual scrape timeout.
const PLACES: usize = 64;
/// The most places of one client. Prometheus begins with a few connections at once.
const PLACES_PER_CLIENT: usize = 8;

/// The places that are taken.
#[derive(Debug, Default)]
pub(super) struct Line(Arc<Mutex<BTreeMap<Client, usize>>>);

/// The network of a client; `None` over a unix socket.
type Client = Option<IpAddr>;

/// A place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    line: Arc<Mutex<BTreeMap<Client, usize>>>,
    client: Client,
}

impl Line {
    /// Takes a place; `None` if all are taken.
    pub(super) fn enter(&self, address: Option<IpAddr>) -> Option<Place> {
        let client = address.map(network_of);
        let mut taken = self.0.lock();
        let all: usize = taken.values().sum();
        let own = taken.get(&client).copied().unwrap_or(0);
        if all >= PLACES || own >= PLACES_PER_CLIENT {
            return None;
        }
        taken.insert(client, own + 1);
        Some(Place {
            line: Arc::clone(&self.0),
            client,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.line.lock();
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
        let line = Line::default();
        let address = |number: u8| Some(IpAddr::from([127, 0, 0, number]));
        let mut places: Vec<Place> = (0..PLACES_PER_CLIENT)
            .map(|_| line.enter(address(1)).unwrap())
            .collect();
        assert!(line.enter(address(1)).is_none());
        for client in 2.. {
            let Some(place) = line.enter(address(client)) else {
                break;
            };
            places.push(place);
            places.extend(line.enter(address(client)));
        }
        assert_eq!(places.len(), PLACES);
        assert!(line.enter(None).is_none());
        places.clear();
        assert!(line.enter(None).is_some());
        assert!(
            line.0.lock().is_empty(),
            "nothing is kept of former clients"
        );
    }

    #[test]
    fn the_addresses_of_an_ipv6_network_are_one_client() {
        let line = Line::default();
        let places: Vec<_> = (0..=PLACES_PER_CLIENT)
            .map(|number| line.enter(Some(format!("2001:db8::{number}").parse().unwrap())))
            .collect();
        let taken = places.iter().filter(|place| place.is_some()).count();
        assert_eq!(taken, PLACES_PER_CLIENT);
        assert!(
            line.enter(Some("2001:db8:0:1::1".parse().unwrap()))
                .is_some()
        );
    }
}
