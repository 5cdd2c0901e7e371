//! Writing settings: read, write, wait, read back, compare. A state machine without IO.
//!
//! A write that was not answered may have been taken or not. It is never sent a second time: what the register says
//! afterwards decides. Only where the device itself said "busy, not done" is the same write sent again.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::codec::{decode, encode, show};
use super::profile::{Profile, Register, RegisterId, WriteFunction};
use super::request::{Action, Exception, Failure, Reply, Request};
use super::validate::Change;
use super::values::Values;
use crate::model::Time;

/// A busy device is asked again after this, so many times.
const BUSY_WAIT: Duration = Duration::from_millis(250);
const BUSY_TRIES: u8 = 3;
/// How often reading back is tried, and how long a device may take to show the new value between tries.
const READ_TRIES: u8 = 4;
const READ_WAIT: Duration = Duration::from_millis(500);
/// A sequence that comes to no end (the link is gone) is given up, and says what it does not know.
const LONGEST: Duration = Duration::from_secs(60);

/// What became of one change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// Written, read back, and it says the new value.
    Taken,
    /// It said that already; nothing was sent.
    Unchanged,
    /// The device refused.
    Refused(Exception),
    /// It could not be read before; nothing was sent.
    Unreadable {
        /// Why.
        why: String,
    },
    /// It was not what the person was shown; nothing was sent.
    ChangedMeanwhile {
        /// What it says.
        found: String,
    },
    /// The device answered as if it took it, or not at all, and still says the old value.
    NotTaken,
    /// It says neither the old nor the new value.
    Differs {
        /// What it says.
        found: String,
    },
    /// It could not be read back. It may have been taken or not.
    Unknown {
        /// Why.
        why: String,
    },
    /// Not tried, because one before it failed.
    NotTried,
}

impl Written {
    /// Something was sent, or may have been: it counts against the register's budget.
    pub const fn was_sent(&self) -> bool {
        !matches!(self, Self::Unchanged | Self::Unreadable { .. } | Self::ChangedMeanwhile { .. } | Self::NotTried)
    }

    /// The register says what was asked for.
    pub const fn is_good(&self) -> bool {
        matches!(self, Self::Taken | Self::Unchanged)
    }

    /// In words, for a person.
    pub fn words(&self) -> String {
        match self {
            Self::Taken => "written and read back".to_owned(),
            Self::Unchanged => "it was so already; nothing was written".to_owned(),
            Self::Refused(exception) => format!("the device refuses: {exception}"),
            Self::Unreadable { why } => format!("not written: it could not be read before: {why}"),
            Self::ChangedMeanwhile { found } => format!("not written: it changed meanwhile and says {found}"),
            Self::NotTaken => "the device keeps the old value".to_owned(),
            Self::Differs { found } => format!("the device says {found}, which is neither old nor new"),
            Self::Unknown { why } => format!("not known whether it was taken: {why}"),
            Self::NotTried => "not tried, because one before it failed".to_owned(),
        }
    }
}

/// A change and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    /// What was asked for.
    pub change: Change,
    /// What the device said before, in words. `None`: it was not read.
    pub before: Option<String>,
    /// What became of it.
    pub written: Written,
}

/// Changes that go to the device in one go: they share a frame, or a register.
#[derive(Clone, Debug)]
struct Group {
    service: usize,
    address: u16,
    count: u16,
    function: WriteFunction,
    changes: Vec<Change>,
    /// A command: it cannot be read, neither before nor after.
    blind: bool,
    before: Vec<u16>,
    after: Vec<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    ReadBefore,
    /// The frame that is next, of those into which the group is cut.
    Write(usize),
    Settle(Time),
    ReadBack,
}

/// A set of changes on its way.
#[derive(Clone, Debug)]
pub struct WriteSequence {
    profile: Arc<Profile>,
    units: Vec<Option<u8>>,
    exponents: Vec<(RegisterId, i16)>,
    groups: VecDeque<Group>,
    phase: Phase,
    tries: u8,
    /// Why it is not known whether the last write was taken.
    unsure: Option<String>,
    wait: Option<Time>,
    give_up: Option<Time>,
    done: Vec<Done>,
    /// Words of registers that were read back and nobody has fetched yet.
    read: Vec<(RegisterId, Vec<u16>)>,
}

impl WriteSequence {
    /// Changes that passed [`super::validate::check`], in their order. `units` are the unit addresses of the profile's
    /// services.
    pub fn new(values: &Values, units: Vec<Option<u8>>, changes: Vec<Change>) -> Self {
        let profile = values.profile().clone();
        let exponents = changes.iter().filter_map(|change| Some((change.register, values.exponent(change.register)?)));
        let exponents = exponents.collect();
        let mut groups: VecDeque<Group> = VecDeque::new();
        for change in changes {
            let own = span(&profile, change.register);
            let register = &profile.registers[change.register];
            let same = groups.iter_mut().find(|group| {
                group.service == register.service && group.address <= own.1 && own.0 < group.address + group.count
            });
            match same {
                Some(group) => {
                    let end = (group.address + group.count - 1).max(own.1);
                    group.address = group.address.min(own.0);
                    group.count = end - group.address + 1;
                    group.changes.push(change);
                }
                None => groups.push_back(Group {
                    service: register.service,
                    address: own.0,
                    count: own.1 - own.0 + 1,
                    function: register.function.unwrap_or(profile.write.function),
                    blind: !register.access.reads(),
                    changes: vec![change],
                    before: Vec::new(),
                    after: Vec::new(),
                }),
            }
        }
        let mut sequence = Self {
            profile,
            units,
            exponents,
            groups,
            phase: Phase::ReadBefore,
            tries: 0,
            unsure: None,
            wait: None,
            give_up: None,
            done: Vec::new(),
            read: Vec::new(),
        };
        sequence.begin();
        sequence
    }

    /// Words of registers that were read back since the last call: newer than what was read of them before.
    pub fn take_read(&mut self) -> Vec<(RegisterId, Vec<u16>)> {
        std::mem::take(&mut self.read)
    }

    /// What became of each change, in order, once all is over.
    pub fn finished(&self) -> Option<&[Done]> {
        self.groups.is_empty().then_some(self.done.as_slice())
    }

    /// When to ask again. `None`: it waits for an answer, or is over.
    pub fn poll_timeout(&self) -> Option<Time> {
        match (self.groups.is_empty(), self.phase) {
            (true, _) => None,
            (false, Phase::Settle(until)) => Some(until),
            (false, _) => Some(self.wait.unwrap_or(Time::ZERO)),
        }
    }

    /// When it is given up although nothing happens.
    pub const fn deadline(&self) -> Option<Time> {
        self.give_up
    }

    /// What to ask now.
    pub fn next_request(&mut self, now: Time) -> Option<Request> {
        if *self.give_up.get_or_insert(now + LONGEST) <= now {
            self.abandon("there was no answer for too long");
        }
        if self.wait.is_some_and(|until| until > now) {
            return None;
        }
        if let Phase::Settle(until) = self.phase {
            if until > now {
                return None;
            }
            if self.groups.front()?.blind {
                self.conclude_blind();
                return self.next_request(now);
            }
            self.phase = Phase::ReadBack;
            self.tries = 0;
        }
        let group = self.groups.front()?;
        let unit = self.units.get(group.service).copied().flatten();
        let Some(unit) = unit else {
            self.fail(&Written::Unknown { why: "no unit address is configured for it".to_owned() });
            return None;
        };
        match self.phase {
            Phase::ReadBefore | Phase::ReadBack => {
                let table = self.profile.registers[group.changes[0].register].table;
                Some(Request::read(unit, table, group.address, group.count))
            }
            Phase::Write(frame) => Some(Request { unit, action: self.frames(group).into_iter().nth(frame)? }),
            Phase::Settle(_) => None,
        }
    }

    /// The good answer to what was asked.
    pub fn handle_reply(&mut self, now: Time, reply: &Reply) {
        self.wait = None;
        match (self.phase, reply) {
            (Phase::ReadBefore, Reply::Words(words)) => self.read_before(words),
            (Phase::ReadBack, Reply::Words(words)) => self.read_back(now, words),
            (Phase::Write(frame), _) => {
                let frames = self.groups.front().map_or(0, |group| self.frames(group).len());
                self.tries = 0;
                self.phase =
                    if frame + 1 < frames { Phase::Write(frame + 1) } else { Phase::Settle(now + self.settle()) };
            }
            _ => {}
        }
    }

    /// No good answer to what was asked.
    pub fn handle_failure(&mut self, now: Time, failure: &Failure) {
        self.tries += 1;
        match (self.phase, failure) {
            (_, Failure::Exception(exception)) if exception.is_busy() => self.busy(now, *exception),
            (Phase::Write(_), Failure::Exception(exception)) => self.fail(&Written::Refused(*exception)),
            (Phase::ReadBefore, Failure::Exception(exception)) => {
                self.fail(&Written::Unreadable { why: exception.to_string() });
            }
            // Reading is harmless and tried again, once the link is in order.
            (Phase::ReadBefore | Phase::ReadBack, _) if self.tries < READ_TRIES => self.wait = Some(now + READ_WAIT),
            (Phase::ReadBefore, failure) => {
                self.fail(&Written::Unreadable { why: failure.to_string() });
            }
            (Phase::ReadBack, failure) => {
                let why = match &self.unsure {
                    Some(unsure) => format!("{unsure}, and it could not be read back: {failure}"),
                    None => format!("it could not be read back: {failure}"),
                };
                self.fail(&Written::Unknown { why });
            }
            // Taken or not: what it says now decides, and no other frame is sent before.
            (Phase::Write(_), failure) => {
                self.unsure = Some(format!("the write got {failure}"));
                self.phase = Phase::Settle(now + self.settle());
            }
            (Phase::Settle(_), _) => {}
        }
    }

    fn busy(&mut self, now: Time, exception: Exception) {
        let acknowledged = exception == Exception::ACKNOWLEDGE;
        match self.phase {
            // It took the write and works on it.
            Phase::Write(_) if acknowledged => self.phase = Phase::Settle(now + self.settle() + READ_WAIT),
            // It says that it did not do it.
            _ if self.tries <= BUSY_TRIES => self.wait = Some(now + BUSY_WAIT),
            Phase::ReadBack => self.fail(&Written::Unknown { why: format!("reading back: {exception}") }),
            Phase::ReadBefore => self.fail(&Written::Unreadable { why: exception.to_string() }),
            _ => self.fail(&Written::Refused(exception)),
        }
    }

    fn settle(&self) -> Duration {
        self.profile.write.settle
    }

    /// Begins with the first group.
    fn begin(&mut self) {
        self.tries = 0;
        self.wait = None;
        self.unsure = None;
        self.phase = Phase::ReadBefore;
        let Some(group) = self.groups.front() else { return };
        if group.blind {
            let (profile, group) = (self.profile.clone(), group.clone());
            let after = self.merged(&profile, &group, &vec![0; usize::from(group.count)]);
            self.set_after(after);
        }
    }

    fn set_after(&mut self, after: Option<Vec<u16>>) {
        match (after, self.groups.front_mut()) {
            (Some(after), Some(group)) => {
                group.after = after;
                self.phase = Phase::Write(0);
                self.tries = 0;
            }
            _ => self.fail(&Written::Refused(Exception::VALUE)),
        }
    }

    fn read_before(&mut self, words: &[u16]) {
        let Some(group) = self.groups.front_mut() else { return };
        group.before = words.to_vec();
        let group = group.clone();
        let profile = self.profile.clone();
        // What a person agreed to is this change, from that value; another value is another question.
        let other = group.changes.iter().find(|change| {
            let now = self.value(change, &group, words);
            change.before.as_ref().is_some_and(|before| now.as_ref().is_some_and(|now| now != before))
        });
        if let Some(change) = other {
            let found = self.shown(change, &group, words);
            return self.fail(&Written::ChangedMeanwhile { found });
        }
        let after = self.merged(&profile, &group, words);
        if after.as_deref() == Some(words) {
            return self.next_group(|_| Written::Unchanged);
        }
        self.set_after(after);
    }

    /// The group's words with its changes in them.
    fn merged(&self, profile: &Profile, group: &Group, words: &[u16]) -> Option<Vec<u16>> {
        let mut merged = words.to_vec();
        for change in &group.changes {
            let register = &profile.registers[change.register];
            let old = own_words(register, group, &merged)?;
            let new = encode(profile, register, &change.after, &old, self.exponent(change.register))?;
            for (address, word) in register.addresses.iter().zip(new) {
                *merged.get_mut(usize::from(address - group.address))? = word;
            }
        }
        Some(merged)
    }

    /// The frames that write a group: one, unless the device takes fewer words at a time.
    fn frames(&self, group: &Group) -> Vec<Action> {
        let most = usize::from(self.profile.write.max.max(1));
        let chunks = group.after.chunks(most).enumerate();
        let frames = chunks.map(|(n, values)| {
            let address = group.address + (n * most) as u16;
            match (values, group.function) {
                ([value], WriteFunction::Single) => Action::WriteSingle { address, value: *value },
                _ => Action::WriteMultiple { address, values: values.to_vec() },
            }
        });
        frames.collect()
    }

    fn read_back(&mut self, now: Time, words: &[u16]) {
        let Some(group) = self.groups.front().cloned() else { return };
        let verdicts: Vec<Written> = group.changes.iter().map(|change| self.verdict(change, &group, words)).collect();
        for change in &group.changes {
            let own = own_words(&self.profile.registers[change.register], &group, words);
            self.read.extend(own.map(|own| (change.register, own)));
        }
        // Some devices take a while to show what they took. Reading again is harmless.
        self.tries += 1;
        if verdicts.iter().any(|verdict| *verdict != Written::Taken) && self.tries < READ_TRIES {
            self.wait = Some(now + READ_WAIT);
            return;
        }
        let good = verdicts.iter().all(Written::is_good);
        let mut verdicts = verdicts.into_iter();
        self.next_group(|_| verdicts.next().unwrap_or(Written::NotTaken));
        if !good {
            self.leave_rest();
        }
    }

    fn verdict(&self, change: &Change, group: &Group, words: &[u16]) -> Written {
        let register = &self.profile.registers[change.register];
        let own = |words: &[u16]| own_words(register, group, words).unwrap_or_default();
        let mask = |words: Vec<u16>| -> Vec<u16> {
            match register.mask {
                Some(mask) if words.len() == 1 => words.iter().map(|word| word & mask as u16).collect(),
                _ => words,
            }
        };
        let (found, before, after) = (mask(own(words)), mask(own(&group.before)), mask(own(&group.after)));
        if found == after {
            Written::Taken
        } else if found == before {
            Written::NotTaken
        } else {
            Written::Differs { found: self.shown(change, group, words) }
        }
    }

    fn conclude_blind(&mut self) {
        match self.unsure.take() {
            // A command cannot be read back, and is not sent a second time.
            Some(why) => self.fail(&Written::Unknown { why }),
            None => self.next_group(|_| Written::Taken),
        }
    }

    fn exponent(&self, register: RegisterId) -> Option<i16> {
        self.exponents.iter().find(|(known, _)| *known == register).map(|(_, exponent)| *exponent)
    }

    fn value(&self, change: &Change, group: &Group, words: &[u16]) -> Option<super::Value> {
        let register = &self.profile.registers[change.register];
        let own = own_words(register, group, words)?;
        decode(&self.profile, register, &own, self.exponent(change.register)).ok()
    }

    fn shown(&self, change: &Change, group: &Group, words: &[u16]) -> String {
        let register = &self.profile.registers[change.register];
        match self.value(change, group, words) {
            Some(value) => show(register, &value, self.exponent(change.register)),
            None => format!("{words:?}, which is no value"),
        }
    }

    fn next_group(&mut self, mut written: impl FnMut(&Change) -> Written) {
        let Some(group) = self.groups.pop_front() else { return };
        for change in &group.changes {
            let before = (!group.before.is_empty()).then(|| self.shown(change, &group, &group.before));
            self.done.push(Done { change: change.clone(), before, written: written(change) });
        }
        self.begin();
    }

    /// This group came to a bad end; the rest is left alone.
    fn fail(&mut self, written: &Written) {
        self.next_group(|_| written.clone());
        self.leave_rest();
    }

    fn leave_rest(&mut self) {
        while !self.groups.is_empty() {
            self.next_group(|_| Written::NotTried);
        }
    }

    /// Gives up, wherever it is: the link is gone, or another device answers.
    pub fn abandon(&mut self, why: &str) {
        let nothing_sent = matches!(self.phase, Phase::ReadBefore);
        if nothing_sent {
            self.leave_rest();
        } else {
            self.fail(&Written::Unknown { why: why.to_owned() });
        }
    }
}

/// First and last address that writing a register touches.
fn span(profile: &Profile, register: RegisterId) -> (u16, u16) {
    let known = &profile.registers[register];
    let spans = known.write_with.iter().map(|other| profile.registers[*other].span()).chain([known.span()]);
    spans.fold((u16::MAX, 0), |(low, high), (a, b)| (low.min(a), high.max(b)))
}

fn own_words(register: &Register, group: &Group, words: &[u16]) -> Option<Vec<u16>> {
    let at = |address: &u16| words.get(usize::from(address.checked_sub(group.address)?)).copied();
    register.addresses.iter().map(at).collect()
}
