//! The poller itself.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::schedule::Schedule;
use super::search::Search;
use crate::inverter::codec::Value;
use crate::inverter::identity::{Checked, Identity, IdentityCheck};
use crate::inverter::plan::{Block, Learned, by_class, plan};
use crate::inverter::profile::{Profile, RegisterId};
use crate::inverter::request::{Failure, Reply, Request};
use crate::inverter::values::Values;
use crate::inverter::write::{Done, WriteSequence};
use crate::model::Time;
use crate::model::power::PollClass;

/// What the device refused is asked again after this.
pub(super) const RECHECK: Duration = Duration::from_secs(300);
/// So many time-outs in a row and the device counts as silent.
pub(super) const SILENT_AFTER: u32 = 3;
/// How long a device thinks, for working out how long a round takes.
const TURNAROUND: Duration = Duration::from_millis(30);

/// How one device is polled.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Unit address of the main unit. `None`: the profile's.
    pub unit: Option<u8>,
    /// Unit addresses of the profile's services, by name.
    pub services: BTreeMap<String, u8>,
    /// Who is expected. `None`: whoever answers first.
    pub serial: Option<String>,
    /// Baud rate of the line. `None`: a network, whose frames take no time.
    pub baud: Option<u32>,
    /// What the device was seen to refuse before.
    pub learned: Learned,
    /// How many more devices share the link: each has its turn, so that all are read less often.
    pub others: u32,
}

/// Something that the owner should know.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// These registers were read; some may have a new value.
    Read(Vec<RegisterId>),
    /// Who answers is known now, or is somebody else.
    Identity(Identity),
    /// The serial number came back as another's: the link may be out of step and has to be put in order.
    OutOfStep,
    /// The device refuses a register; it is asked again in five minutes.
    Quarantined(RegisterId),
    /// It does so no more.
    Restored(RegisterId),
    /// What was learned of the device changed: worth keeping.
    Learned,
    /// It does not answer any more.
    Silent,
    /// It answers again.
    Answers,
    /// A set of settings came to its end: what became of each.
    Written(Vec<Done>),
}

/// What a device would be asked next, most urgent first: for an owner of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    /// Settings are on their way to it.
    Write,
    /// Who it is, or what is read for safety.
    Safety,
    /// Anything else.
    Rest,
}

/// Counters since start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Requests handed out.
    pub requests: u64,
    /// Good answers.
    pub replies: u64,
    /// Requests without an answer.
    pub timeouts: u64,
    /// Answers that did not fit their request.
    pub framing: u64,
    /// Answers that were exceptions.
    pub exceptions: u64,
    /// Serial numbers that were not the expected one.
    pub out_of_step: u64,
}

#[derive(Clone, Debug)]
pub(super) enum Job {
    Identity,
    Read(usize),
    Probe,
    Recheck(RegisterId, Block),
    Write,
}

/// Polls one device.
#[derive(Clone, Debug)]
pub struct Poller {
    pub(super) values: Values,
    pub(super) units: Vec<Option<u8>>,
    pub(super) baud: Option<u32>,
    others: u32,
    pub(super) learned: Learned,
    pub(super) schedule: Schedule,
    pub(super) searches: VecDeque<Search>,
    /// The last request was of a search.
    pub(super) probed: bool,
    pub(super) rechecks: BTreeMap<RegisterId, Time>,
    /// What is asked, and since when.
    pub(super) open: Option<(Job, Request, Time)>,
    pub(super) link: bool,
    pub(super) identity: IdentityCheck,
    pub(super) not_before: Time,
    pub(super) failures: u32,
    pub(super) services_down: Vec<Option<Time>>,
    pub(super) events: VecDeque<Event>,
    pub(super) stats: Stats,
    pub(super) writer: Option<WriteSequence>,
}

impl Poller {
    /// A device that nothing is known of. Nothing is asked before [`Poller::link_up`].
    pub fn new(profile: &Arc<Profile>, options: Options) -> Self {
        let link = &profile.link;
        let main = Some(options.unit.unwrap_or(link.unit));
        let service = |name: &str, usual: Option<u8>| options.services.get(name).copied().or(usual);
        let others = link.services.iter().map(|known| service(&known.name, known.unit));
        let units: Vec<Option<u8>> = std::iter::once(main).chain(others).collect();
        let mut poller = Self {
            values: Values::new(profile.clone()),
            services_down: vec![None; units.len()],
            units,
            baud: options.baud,
            others: options.others,
            learned: options.learned,
            schedule: Schedule::default(),
            searches: VecDeque::new(),
            probed: false,
            rechecks: BTreeMap::new(),
            open: None,
            link: false,
            identity: IdentityCheck::new(options.serial),
            not_before: Time::ZERO,
            failures: 0,
            events: VecDeque::new(),
            stats: Stats::default(),
            writer: None,
        };
        if poller.serial().is_none() {
            poller.identity.cannot("the profile names no serial number");
        }
        for (register, known) in profile.registers.iter().enumerate() {
            if poller.learned.refused.contains(&known.id) {
                poller.values.quarantine(register, true);
                poller.rechecks.insert(register, Time::ZERO + RECHECK);
            }
        }
        poller.rebuild(Time::ZERO);
        poller
    }

    /// What is known of the device.
    pub const fn values(&self) -> &Values {
        &self.values
    }

    /// Who answers.
    pub const fn identity(&self) -> &Identity {
        &self.identity.state
    }

    /// Counters since start.
    pub const fn stats(&self) -> Stats {
        self.stats
    }

    /// What the device was seen to refuse.
    pub const fn learned(&self) -> &Learned {
        &self.learned
    }

    /// Unit address of a service of the profile; 0 is the main unit. `None`: none is configured.
    pub fn unit(&self, service: usize) -> Option<u8> {
        self.units.get(service).copied().flatten()
    }

    /// Why the device is not written to. `None`: it may be.
    pub fn write_refusal(&self) -> Option<String> {
        if self.link { self.identity.refusal() } else { Some("there is no connection".to_owned()) }
    }

    /// A person says that the device that answers is the right one.
    pub fn confirm_identity(&mut self) {
        self.identity.confirm();
    }

    /// A class of registers is wanted now: its page opens.
    pub fn want(&mut self, class: PollClass, now: Time) {
        self.schedule.want(class, now);
    }

    /// The next thing that the owner should know.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// A connection was made, or put in order.
    pub fn link_up(&mut self, now: Time) {
        if !self.link {
            self.schedule.restart(now);
            self.failures = 0;
            self.not_before = now;
        }
        self.link = true;
        self.void_open(now);
        self.doubt_identity();
    }

    /// The connection is gone. What was open is void.
    pub fn link_down(&mut self, now: Time) {
        self.link = false;
        self.void_open(now);
        self.searches.clear();
        self.lost();
    }

    /// Its answer cannot come any more. A write may have been taken.
    fn void_open(&mut self, now: Time) {
        if let Some((job, ..)) = self.open.take() {
            self.write_failed(now, &job, &Failure::Closed("the connection was lost".to_owned()));
        }
    }

    pub(super) fn lost(&mut self) {
        self.values.set_lost(true);
        self.doubt_identity();
    }

    pub(super) fn doubt_identity(&mut self) {
        if self.serial().is_some() {
            self.identity.doubt();
        }
    }

    /// The register of the serial number, if it can be asked.
    pub(super) fn serial(&self) -> Option<RegisterId> {
        let serial = self.values.profile().serial()?;
        let known = &self.values.profile().registers[serial];
        (!self.learned.refused.contains(&known.id) && self.unit(known.service).is_some()).then_some(serial)
    }

    /// When to call [`Poller::next_request`] again. `None`: not before something else happens.
    pub fn poll_timeout(&self) -> Option<Time> {
        if self.open.is_some() {
            return None;
        }
        if !self.link {
            return self.writer.as_ref().and_then(WriteSequence::deadline);
        }
        let reachable = |service: usize| self.services_down[service].is_none();
        let waits = if self.identity.due || !self.searches.is_empty() {
            Some(self.not_before)
        } else {
            let again = self.services_down.iter().flatten().chain(self.rechecks.values()).min().copied();
            let write = self.writer.as_ref().and_then(WriteSequence::poll_timeout);
            [self.schedule.next_due(reachable), again, write].into_iter().flatten().min()
        };
        waits.map(|at| at.max(self.not_before))
    }

    /// What would be asked now. `None`: nothing is due.
    pub fn turn(&self, now: Time) -> Option<Turn> {
        if self.poll_timeout()? > now {
            return None;
        }
        let writer = self.writer.as_ref();
        let written = writer.is_some_and(|w| w.poll_timeout().or(w.deadline()).is_some_and(|at| at <= now));
        Some(if written {
            Turn::Write
        } else if self.identity.due || self.schedule.safety_is_due(now) {
            Turn::Safety
        } else {
            Turn::Rest
        })
    }

    /// The read of the serial number and the words that it brought, if the device is known: by that a link can be proved.
    /// `None` while it is not known who answers; the next request then reads the serial number itself.
    pub fn canary(&self) -> Option<(Request, Vec<u16>)> {
        if self.identity.due || !matches!(self.identity.state, Identity::Known { .. }) {
            return None;
        }
        let serial = self.serial()?;
        let block = self.single(serial)?;
        let request = block.request(self.unit(block.service)?);
        let addresses = &self.values.profile().registers[serial].addresses;
        let mut words: Vec<(u16, u16)> =
            addresses.iter().copied().zip(self.values.slot(serial).words.iter().copied()).collect();
        words.sort_unstable();
        let words: Vec<u16> = words.into_iter().map(|(_, word)| word).collect();
        (words.len() == usize::from(block.count())).then_some((request, words))
    }

    /// How long one round of the safety class took last.
    pub fn round(&self) -> Option<Duration> {
        self.schedule.round()
    }

    /// What to ask now. At most one request is open; its answer or failure is due before the next.
    pub fn next_request(&mut self, now: Time) -> Option<Request> {
        if self.open.is_some() {
            return None;
        }
        self.end_write_in_vain(now);
        if !self.link || now < self.not_before {
            return None;
        }
        for down in &mut self.services_down {
            *down = down.filter(|until| *until > now);
        }
        let (job, request) = self.next_job(now)?;
        self.stats.requests += 1;
        self.open = Some((job, request.clone(), now));
        Some(request)
    }

    fn next_job(&mut self, now: Time) -> Option<(Job, Request)> {
        if self.identity.due {
            let serial = self.serial()?;
            let block = self.single(serial)?;
            return Some((Job::Identity, block.request(self.unit(block.service)?)));
        }
        if let Some(request) = self.next_of_write(now) {
            return Some((Job::Write, request));
        }
        let down: Vec<bool> = self.services_down.iter().map(Option::is_some).collect();
        // A search and the reads take turns: the search is what brings the missing values back.
        let picked = self.schedule.pick(now, |service| !down[service]);
        let search = self.searches.front().filter(|search| !down[search.service()]);
        if let Some(search) = search.filter(|_| picked.is_none() || !self.probed) {
            let block = search.probe();
            self.probed = true;
            return Some((Job::Probe, block.request(self.unit(block.service)?)));
        }
        self.probed = false;
        if let Some(job) = picked {
            let block = &self.schedule.jobs[job].block;
            let request = block.request(self.unit(block.service)?);
            return Some((Job::Read(job), request));
        }
        let (register, _) = self.rechecks.iter().find(|(_, at)| **at <= now)?;
        let register = *register;
        let block = self.single(register).filter(|block| !down[block.service])?;
        let request = block.request(self.unit(block.service)?);
        Some((Job::Recheck(register, block), request))
    }

    /// A read of one register only; of its first word where they lie apart.
    fn single(&self, register: RegisterId) -> Option<Block> {
        let profile = self.values.profile();
        plan(profile, profile.read, &Learned::default(), |id| id == register).into_iter().next()
    }

    /// The answer to the open request.
    pub fn handle_reply(&mut self, now: Time, reply: &Reply) {
        let Some((job, request, asked)) = self.open.take() else { return };
        if let Err(failure) = request.check(reply) {
            self.open = Some((job, request, asked));
            return self.handle_failure(now, &failure);
        }
        self.stats.replies += 1;
        self.not_before = now + self.values.profile().link.spacing;
        if self.failures >= SILENT_AFTER {
            self.events.push_back(Event::Answers);
        }
        self.failures = 0;
        if self.serial().is_none() {
            // Nobody can be asked who answers: an answer is all the proof there is.
            self.values.set_lost(false);
        }
        let words = match (&job, reply) {
            (Job::Write, reply) => return self.write_answered(now, reply),
            (_, Reply::Words(words)) => words,
            _ => return,
        };
        match job {
            Job::Write => {}
            Job::Identity => self.identified(now, words),
            Job::Read(job) => {
                let block = self.schedule.jobs[job].block.clone();
                self.accept(&block, words, now);
                self.schedule.jobs[job].took = Some(now.since(asked));
                self.schedule.done(job, now);
            }
            Job::Probe => {
                if let Some(block) = self.searches.front().map(Search::probe) {
                    self.accept(&block, words, now);
                }
                self.search_answered(true, now);
            }
            Job::Recheck(register, block) => {
                self.accept(&block, words, now);
                self.restore(register, now);
            }
        }
    }

    fn accept(&mut self, block: &Block, words: &[u16], now: Time) {
        self.values.accept(block, words, now);
        let mut registers: Vec<RegisterId> = block.items.iter().map(|item| item.register).collect();
        registers.dedup();
        self.events.push_back(Event::Read(registers));
    }

    fn identified(&mut self, now: Time, words: &[u16]) {
        let Some(serial) = self.serial() else { return };
        let profile = self.values.profile().clone();
        let known = &profile.registers[serial];
        let text = match crate::inverter::codec::decode(&profile, known, words, None) {
            Ok(Value::Text(text)) => text,
            Ok(value) => crate::inverter::codec::show(known, &value, None),
            Err(_) => String::new(),
        };
        let before = self.identity.state.clone();
        if self.identity.read(&text) == Checked::Again {
            self.stats.out_of_step += 1;
            self.events.push_back(Event::OutOfStep);
            return;
        }
        if self.identity.state != before {
            self.end_write_of_another(now);
            if !matches!(before, Identity::Unknown) {
                // Numbers of another device are not this one's.
                self.values.clear();
                self.schedule.restart(now);
            }
            self.events.push_back(Event::Identity(self.identity.state.clone()));
        }
        self.values.set_lost(false);
        self.values.accept_register(serial, words, now);
    }

    /// Plans anew after something was learned. A read that is refused still begins its search again.
    pub(super) fn rebuild(&mut self, now: Time) {
        self.searches.clear();
        let profile = self.values.profile().clone();
        let blocks = by_class(&profile, &self.learned, |service| self.unit(service).is_some());
        self.schedule.replace(blocks, now);
        self.set_periods(&profile);
    }

    /// How often registers are really read, so that none is called stale because the link is slow.
    fn set_periods(&mut self, profile: &Profile) {
        let cost = |block: &Block| {
            let frames = self.baud.map_or(Duration::ZERO, |baud| block.request(1).bus_time(baud));
            (frames + TURNAROUND + profile.link.spacing) * self.others.saturating_add(1)
        };
        let jobs = &self.schedule.jobs;
        let safety: Duration =
            jobs.iter().filter(|job| job.class == PollClass::Safety).map(|job| cost(&job.block)).sum();
        let others = || jobs.iter().filter(|job| job.class != PollClass::Safety);
        let longest = others().map(|job| cost(&job.block)).max().unwrap_or_default();
        let round = (safety + longest).max(Duration::from_secs(1));
        // What is left for the others: the rest of each second, or one turn in a round.
        let rest = (1.0 - safety.as_secs_f64()).max(longest.as_secs_f64() / round.as_secs_f64());
        let demand: f64 =
            others().filter_map(|job| Some(cost(&job.block).as_secs_f64() / job.class.period()?.as_secs_f64())).sum();
        let slower = (demand / rest).max(1.0);
        for job in jobs {
            let period = job
                .class
                .period()
                .map(|period| if job.class == PollClass::Safety { round.max(period) } else { period.mul_f64(slower) });
            for item in &job.block.items {
                self.values.set_period(item.register, period);
            }
        }
    }
}
