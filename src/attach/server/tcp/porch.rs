//! Who has come over TCP and has not been let in yet: few at a time, and no address takes it all.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// Connections at a time that have shown nothing yet.
const MOST: usize = 64;
/// Of those, from one address.
const MOST_EACH: usize = 16;

/// Where they wait. Who comes is never turned away for those who have come before and say nothing: one of them gives way.
#[derive(Clone, Debug, Default)]
pub(super) struct Porch(Arc<Mutex<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    last: u64,
    /// The oldest first.
    guests: VecDeque<(u64, IpAddr, Arc<Notify>)>,
}

/// One of them, until it is let in or leaves.
#[derive(Debug)]
pub(super) struct Guest {
    porch: Porch,
    id: u64,
    away: Arc<Notify>,
}

impl Porch {
    /// Somebody comes from there.
    pub(super) fn come(&self, from: IpAddr) -> Guest {
        let from = network(from);
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.last += 1;
        let (id, away) = (waiting.last, Arc::new(Notify::new()));
        waiting.guests.push_back((id, from, Arc::clone(&away)));
        waiting.make_room(from);
        Guest { porch: self.clone(), id, away }
    }
}

impl Waiting {
    /// The oldest of the address that has too many gives way, or of the one that has the most.
    fn make_room(&mut self, newest: IpAddr) {
        let mut counts: HashMap<IpAddr, usize> = HashMap::new();
        self.guests.iter().for_each(|(_, from, _)| *counts.entry(*from).or_default() += 1);
        let count_of = |from: &IpAddr| counts.get(from).copied().unwrap_or_default();
        let gives_way = if count_of(&newest) > MOST_EACH {
            self.guests.iter().position(|(_, from, _)| *from == newest)
        } else if self.guests.len() > MOST {
            let most = counts.values().copied().max().unwrap_or_default();
            self.guests.iter().position(|(_, from, _)| count_of(from) == most)
        } else {
            None
        };
        if let Some((_, from, away)) = gives_way.and_then(|at| self.guests.remove(at)) {
            tracing::debug!(%from, "who came and said nothing gives way to who comes");
            away.notify_one();
        }
    }
}

impl Guest {
    /// It has shown who it is, and does not give way any more.
    pub(super) fn is_known(&self) {
        let mut waiting = self.porch.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.guests.retain(|(id, ..)| *id != self.id);
    }

    /// Waits until it has to give way.
    pub(super) async fn gives_way(&self) {
        self.away.notified().await;
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.is_known();
    }
}

/// Whoever has one address of version 6 has as many as they like.
fn network(of: IpAddr) -> IpAddr {
    match of.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn gave_way(guests: &[Guest]) -> Vec<bool> {
        guests.iter().map(|guest| guest.gives_way().now_or_never().is_some()).collect()
    }

    fn of(number: usize) -> IpAddr {
        IpAddr::from([10, 0, 0, number as u8])
    }

    #[test]
    fn the_oldest_of_an_address_gives_way_to_its_newest() {
        let porch = Porch::default();
        let first = porch.come(of(1));
        let others: Vec<Guest> = (0..MOST_EACH).map(|_| porch.come(of(9))).collect();
        assert_eq!(gave_way(&others), vec![false; MOST_EACH]);
        let newest = porch.come(of(9));
        let gone = gave_way(&others);
        assert!(gone[0] && !gone[1..].contains(&true), "{gone:?}");
        assert_eq!(gave_way(&[first, newest]), [false, false]);
        // Those who left or were let in count no more.
        others[1].is_known();
        let again = porch.come(of(9));
        assert!(!gave_way(&others[2..]).contains(&true));
        drop(again);
    }

    #[test]
    fn an_address_that_has_many_keeps_no_other_out() {
        let porch = Porch::default();
        let many: Vec<Guest> = (0..MOST).map(|n| porch.come(of(n / MOST_EACH))).collect();
        let mut new: Vec<Guest> = (0..20).map(|n| porch.come(of(100 + n))).collect();
        assert_eq!(gave_way(&many).into_iter().filter(|gone| *gone).count(), 20);
        assert!(!gave_way(&new).contains(&true));
        new.clear();
    }

    #[test]
    fn all_of_a_network_of_version_6_are_one() {
        let porch = Porch::default();
        let guests: Vec<Guest> =
            (0..=MOST_EACH).map(|n| porch.come(format!("2001:db8::{n:x}").parse().unwrap())).collect();
        assert!(gave_way(&guests)[0]);
        let here: Vec<Guest> = ["127.0.0.1", "::ffff:127.0.0.1"].map(|ip| porch.come(ip.parse().unwrap())).into();
        assert_eq!(network("::ffff:127.0.0.1".parse().unwrap()), network("127.0.0.1".parse().unwrap()));
        drop(here);
    }
}
