//! Which reads get all the registers that are wanted, with few frames.
//!
//! A frame costs as much time as some 40 registers at 9600 Bd, so unused registers between used ones are read along
//! up to the profile's gap; what a device was seen to refuse is not ([`Learned`]).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::profile::{Limits, Profile, RegisterId};
use super::request::Request;
use crate::model::power::{PollClass, Table};

/// What one device was seen to refuse; kept from one run to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Learned {
    /// Places that no read may go across.
    pub cuts: BTreeSet<Cut>,
    /// Ids of registers that it does not have; asked again now and then.
    pub refused: BTreeSet<String>,
}

/// No read may begin before this address and go on to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Cut {
    /// Which of the profile's units.
    pub service: usize,
    /// Table.
    pub table: Table,
    /// The first address after the cut.
    pub address: u16,
}

/// A run of words of one register: all of them, or one where they lie apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// The register.
    pub register: RegisterId,
    /// First of its words that this is; an index into [`super::Register::addresses`].
    pub word: usize,
    /// Address of that word, the lowest of the run.
    pub address: u16,
    /// Words of the run.
    pub count: u16,
}

impl Item {
    const fn end(&self) -> u32 {
        self.address as u32 + self.count as u32
    }
}

/// One read and what it brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Which of the profile's units: 0 is the main one.
    pub service: usize,
    /// Table.
    pub table: Table,
    /// What it reads, by address.
    pub items: Vec<Item>,
}

impl Block {
    /// First address.
    pub fn address(&self) -> u16 {
        self.items.first().map_or(0, |item| item.address)
    }

    /// How many registers are asked for.
    pub fn count(&self) -> u16 {
        let end = self.items.iter().map(Item::end).max().unwrap_or(0);
        end.saturating_sub(u32::from(self.address())) as u16
    }

    /// The read.
    pub fn request(&self, unit: u8) -> Request {
        Request::read(unit, self.table, self.address(), self.count())
    }

    /// The same read of its first items only.
    pub(super) fn prefix(&self, items: usize) -> Self {
        Self { items: self.items[..items.min(self.items.len())].to_vec(), ..self.clone() }
    }

    /// The same read of one item only.
    pub(super) fn only(&self, item: usize) -> Self {
        Self { items: self.items[item..=item].to_vec(), ..self.clone() }
    }
}

/// The reads that get these registers.
///
/// Each register that is wanted, readable, not refused and of a service with a unit is in the blocks exactly once
/// (word by word where its words lie apart); no block asks for more than `limits.max` registers, bridges more than
/// `limits.gap`, or goes across a cut.
pub fn plan(
    profile: &Profile,
    limits: Limits,
    learned: &Learned,
    mut wanted: impl FnMut(RegisterId) -> bool,
) -> Vec<Block> {
    let mut items: Vec<(usize, Table, Item)> = Vec::new();
    for (register, known) in profile.registers.iter().enumerate() {
        if known.access.reads() && wanted(register) && !learned.refused.contains(&known.id) {
            items.extend(runs(register, &known.addresses).map(|item| (known.service, known.table, item)));
        }
    }
    items.sort_by_key(|(service, table, item)| (*service, *table, item.address, item.count));
    let mut blocks: Vec<Block> = Vec::new();
    for (service, table, item) in items {
        match blocks.last_mut().filter(|block| joins(block, service, table, &item, limits, learned)) {
            Some(block) => block.items.push(item),
            None => blocks.push(Block { service, table, items: vec![item] }),
        }
    }
    blocks
}

/// Words side by side are one run; words that lie apart are a run each.
fn runs(register: RegisterId, addresses: &[u16]) -> impl Iterator<Item = Item> {
    let side_by_side = addresses.windows(2).all(|pair| pair[0].checked_add(1) == Some(pair[1]));
    let whole = side_by_side.then_some(Item {
        register,
        word: 0,
        address: addresses.first().copied().unwrap_or(0),
        count: addresses.len() as u16,
    });
    let each =
        addresses.iter().enumerate().map(move |(word, address)| Item { register, word, address: *address, count: 1 });
    let apart = if side_by_side { 0 } else { addresses.len() };
    whole.into_iter().chain(each.take(apart))
}

fn joins(block: &Block, service: usize, table: Table, item: &Item, limits: Limits, learned: &Learned) -> bool {
    if (block.service, block.table) != (service, table) {
        return false;
    }
    let start = block.address();
    let end = u32::from(start) + u32::from(block.count());
    let gap = u32::from(item.address).saturating_sub(end);
    let first_after = Cut { service, table, address: start.saturating_add(1) };
    let last = Cut { service, table, address: item.address };
    gap <= u32::from(limits.gap)
        && item.end().max(end) - u32::from(start) <= u32::from(limits.max)
        && (first_after > last || learned.cuts.range(first_after..=last).next().is_none())
}

/// The reads of a device, class by class. A register that a read of a more urgent class brings anyway is not read a
/// second time.
pub fn by_class(profile: &Profile, learned: &Learned, reachable: impl Fn(usize) -> bool) -> Vec<(PollClass, Block)> {
    let mut blocks: Vec<(PollClass, Block)> = Vec::new();
    for class in [PollClass::Safety, PollClass::Flow, PollClass::Slow, PollClass::Setting, PollClass::Once] {
        let mut own = plan(profile, profile.read, learned, |register| {
            let known = &profile.registers[register];
            known.poll == class && reachable(known.service) && !covered(&blocks, profile, register)
        });
        for block in &mut own {
            take_along(block, profile, learned, &blocks);
        }
        blocks.extend(own.into_iter().map(|block| (class, block)));
    }
    blocks
}

fn covered(blocks: &[(PollClass, Block)], profile: &Profile, register: RegisterId) -> bool {
    let words = profile.registers[register].addresses.len();
    let brought: usize = blocks
        .iter()
        .flat_map(|(_, block)| &block.items)
        .filter(|item| item.register == register)
        .map(|item| usize::from(item.count))
        .sum();
    brought == words
}

/// Adds the registers of slower classes that lie inside of the read anyway.
fn take_along(block: &mut Block, profile: &Profile, learned: &Learned, before: &[(PollClass, Block)]) {
    let (start, end) = (block.address(), u32::from(block.address()) + u32::from(block.count()));
    for (register, known) in profile.registers.iter().enumerate() {
        let inside = known.service == block.service
            && known.table == block.table
            && known.access.reads()
            && known.poll != PollClass::Never
            && known.span().0 >= start
            && u32::from(known.span().1) < end
            && !learned.refused.contains(&known.id);
        let new = inside && !block.items.iter().any(|item| item.register == register);
        if new && !covered(before, profile, register) {
            block.items.extend(runs(register, &known.addresses));
        }
    }
    block.items.sort_by_key(|item| (item.address, item.count));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inverter::profile::shipped;

    fn all(profile: &Profile, learned: &Learned) -> Vec<Block> {
        plan(profile, profile.read, learned, |_| true)
    }

    #[test]
    fn gaps_are_bridged_up_to_the_limit_and_never_on_victron() {
        let senergy = shipped("senergy").unwrap().unwrap();
        let blocks = all(&senergy, &Learned::default());
        assert!(blocks.iter().any(|block| usize::from(block.count()) > block.items.len()));
        let victron = shipped("victron").unwrap().unwrap();
        for block in all(&victron, &Learned::default()) {
            let used: u16 = block.items.iter().map(|item| item.count).sum();
            assert_eq!(block.count(), used, "{block:?}");
        }
    }

    #[test]
    fn words_that_lie_apart_are_read_wherever_they_are() {
        let deye = shipped("deye_3p").unwrap().unwrap();
        let register = deye.find("grid_power").unwrap();
        let blocks = plan(&deye, deye.read, &Learned::default(), |id| id == register);
        let starts: Vec<u16> = blocks.iter().map(Block::address).collect();
        assert_eq!(starts, [625, 690]);
    }

    #[test]
    fn cuts_and_refusals_are_kept_to() {
        let senergy = shipped("senergy").unwrap().unwrap();
        let first = all(&senergy, &Learned::default())[0].clone();
        let cut = Cut { service: 0, table: first.table, address: first.items[2].address };
        let refused = senergy.registers[first.items[1].register].id.clone();
        let learned = Learned { cuts: [cut].into(), refused: [refused].into() };
        let blocks = all(&senergy, &learned);
        assert_eq!(blocks[0].items, first.items[..1]);
        assert_eq!(blocks[1].items[0], first.items[2]);
    }

    #[test]
    fn a_class_does_not_read_again_what_a_more_urgent_one_brings() {
        for (name, _) in crate::inverter::profile::SHIPPED {
            let profile = shipped(name).unwrap().unwrap();
            let blocks = by_class(&profile, &Learned::default(), |_| true);
            let mut words = vec![0; profile.registers.len()];
            for item in blocks.iter().flat_map(|(_, block)| &block.items) {
                words[item.register] += usize::from(item.count);
            }
            for (register, words) in profile.registers.iter().zip(words) {
                let wanted = if register.poll == PollClass::Never { 0 } else { register.addresses.len() };
                assert_eq!(words, wanted, "{name} {}", register.id);
            }
        }
    }
}
