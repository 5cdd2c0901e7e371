//! Finds the models of a device.

use std::collections::VecDeque;

use crate::inverter::request::{Failure, Reply, Request};
use crate::model::power::Table;

/// Where the marker can stand.
const BASES: [u16; 3] = [40_000, 50_000, 0];
/// `SunS`.
const MARKER: [u16; 2] = [0x5375, 0x6E53];
/// Id of the model that ends the list.
const END: u16 = 0xFFFF;
/// A device with more models than this is no device.
const MOST_MODELS: usize = 64;
/// The longest a model of the registry may be, and more.
const LONGEST: u16 = 4096;
/// A question without an answer is asked so often.
const TRIES: u8 = 2;

/// A model and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Model id.
    pub id: u16,
    /// Address of the register that holds the id.
    pub address: u16,
    /// Registers behind id and length.
    pub length: u16,
}

/// Why a device has no models.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSunSpec {
    /// The marker is nowhere.
    #[error("no SunSpec marker at 40000, 50000 or 0: this is not a SunSpec device, or the unit is wrong")]
    NoMarker,
    /// The list of models makes no sense.
    #[error("the list of SunSpec models breaks off at {address}: id {id}, length {length}")]
    BadList {
        /// Where.
        address: u16,
        /// The id there.
        id: u16,
        /// The length there.
        length: u16,
    },
    /// The device does not answer.
    #[error("no SunSpec models could be read: {0}")]
    Link(Failure),
}

/// Walks from model to model, asking harmless questions only.
#[derive(Clone, Debug)]
pub struct Walk {
    unit: u8,
    bases: VecDeque<u16>,
    /// Where the next model begins. `None`: still looking for the marker.
    next: Option<u16>,
    found: Vec<Found>,
    tries: u8,
    end: Option<Result<(), NotSunSpec>>,
}

impl Walk {
    /// On this unit.
    pub fn new(unit: u8) -> Self {
        Self { unit, bases: BASES.into(), next: None, found: Vec::new(), tries: 0, end: None }
    }

    /// What to ask now. `None`: it is over.
    pub fn next_request(&self) -> Option<Request> {
        if self.end.is_some() {
            return None;
        }
        let address = self.next.or(self.bases.front().copied())?;
        Some(Request::read(self.unit, Table::Holding, address, 2))
    }

    /// The answer.
    pub fn handle_reply(&mut self, reply: &Reply) {
        let Reply::Words(words) = reply else { return };
        let [id, length] = words[..] else { return };
        self.tries = 0;
        let Some(address) = self.next else {
            match self.bases.pop_front() {
                Some(base) if [id, length] == MARKER => self.next = base.checked_add(2),
                _ if self.bases.is_empty() => self.end = Some(Err(NotSunSpec::NoMarker)),
                _ => {}
            }
            return;
        };
        if id == END {
            self.end = Some(Ok(()));
            return;
        }
        let after = address.checked_add(2).and_then(|body| body.checked_add(length));
        match after {
            Some(after) if id != 0 && (1..=LONGEST).contains(&length) && self.found.len() < MOST_MODELS => {
                self.found.push(Found { id, address, length });
                self.next = Some(after);
            }
            _ => self.end = Some(Err(NotSunSpec::BadList { address, id, length })),
        }
    }

    /// No good answer.
    pub fn handle_failure(&mut self, failure: &Failure) {
        self.tries += 1;
        let refused = matches!(failure, Failure::Exception(exception) if exception.is_permanent());
        if !refused && self.tries < TRIES {
            return;
        }
        self.tries = 0;
        if self.next.is_some() {
            // Some devices have no end of the list: behind it there is nothing.
            self.end =
                Some(if refused && !self.found.is_empty() { Ok(()) } else { Err(NotSunSpec::Link(failure.clone())) });
            return;
        }
        self.bases.pop_front();
        if self.bases.is_empty() {
            self.end = Some(Err(if refused { NotSunSpec::NoMarker } else { NotSunSpec::Link(failure.clone()) }));
        }
    }

    /// What was found, once it is over.
    pub fn finished(&self) -> Option<Result<&[Found], NotSunSpec>> {
        self.end.as_ref().map(|end| end.clone().map(|()| self.found.as_slice()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inverter::request::Exception;

    /// Walks over these words; everything else is refused.
    fn walk(words: &[(u16, [u16; 2])]) -> Result<Vec<Found>, NotSunSpec> {
        let mut walk = Walk::new(126);
        for _ in 0..500 {
            let Some(request) = walk.next_request() else { break };
            let crate::inverter::Action::Read { address, .. } = request.action else { panic!("{request}") };
            match words.iter().find(|(at, _)| *at == address) {
                Some((_, two)) => walk.handle_reply(&Reply::Words(two.to_vec())),
                None => walk.handle_failure(&Failure::Exception(Exception::ADDRESS)),
            }
        }
        walk.finished().expect("an end").map(<[Found]>::to_vec)
    }

    #[test]
    fn models_are_found_from_any_base() {
        for base in BASES {
            let words = [(base, MARKER), (base + 2, [1, 66]), (base + 70, [103, 50]), (base + 122, [0xFFFF, 0])];
            let found = walk(&words).expect("models");
            let expected =
                [Found { id: 1, address: base + 2, length: 66 }, Found { id: 103, address: base + 70, length: 50 }];
            assert_eq!(found, expected);
            // Without its end the list is as good.
            assert_eq!(walk(&words[..3]), Ok(expected.to_vec()));
        }
    }

    #[test]
    fn a_walk_ends_whatever_is_there() {
        assert_eq!(walk(&[]), Err(NotSunSpec::NoMarker));
        assert_eq!(walk(&[(40_000, [0, 0]), (50_000, [1, 2]), (0, [0; 2])]), Err(NotSunSpec::NoMarker));
        let zero = walk(&[(40_000, MARKER), (40_002, [1, 0])]);
        assert_eq!(zero, Err(NotSunSpec::BadList { address: 40_002, id: 1, length: 0 }));
        let beyond = walk(&[(50_000, MARKER), (50_002, [1, 65_000])]);
        assert!(matches!(beyond, Err(NotSunSpec::BadList { .. })));
        let mut walk = Walk::new(1);
        while walk.next_request().is_some() {
            walk.handle_failure(&Failure::Timeout);
        }
        assert_eq!(walk.finished(), Some(Err(NotSunSpec::Link(Failure::Timeout))));
    }
}
