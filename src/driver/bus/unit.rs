//! One inverter on the bus: what to ask it, what its answers change, and what of that the hub has to know.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::handle::{Family, UnitConfig};
use super::link::{Canary, Patience};
use super::order::UnitEvent;
use crate::inverter::grid_loss::GridLoss;
use crate::inverter::poller::{self, Options, Poller, Turn};
use crate::inverter::request::{Exception, Failure};
use crate::inverter::summary::{self, FaultBook};
use crate::inverter::sunspec::{Walk, profile_of};
use crate::inverter::{Identity, Reply, Request, Values};
use crate::model::Time;
use crate::model::command::TicketId;
use crate::model::power::PollClass;

/// What is the same is told at least so often while it is read, so that its age is known.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// Nothing more is due for so long: a round has ended.
const LULL: Duration = Duration::from_millis(250);
/// Silence between two units; what one of them needs for itself it gets from its poller.
const BETWEEN: Duration = Duration::from_millis(50);
/// A walk that failed is begun again after this.
const WALK_AGAIN: Duration = Duration::from_secs(30);
/// The unit address of SunSpec devices that none is configured for (SunSpec Modbus interface, 126).
const SUNSPEC_UNIT: u8 = 126;
/// Until the models are known, SunSpec devices are given this time.
const WALK_PATIENCE: Patience =
    Patience { timeout: Duration::from_secs(3), lateness: LATENESS, spacing: Duration::from_millis(20) };
/// Who did not answer is waited for at least this long.
const LEAST_PATIENCE: Duration = Duration::from_millis(300);
/// Who never answered may be slower than the others, and is waited for in full every so many times.
const FULL_PATIENCE_EVERY: u32 = 4;
/// The most that an answer comes after its time-out.
const LATENESS: Duration = Duration::from_secs(1);
/// Who did not answer rests so many times as long as it was waited for, that the others are read meanwhile.
const REST: u32 = 2;
/// And so many times once it counts as silent, so that it costs the others no more than that share of the bus.
const SILENT_REST: u32 = 10;
/// But no longer than this.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// What is to be asked now.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) request: Request,
    pub(super) patience: Patience,
    pub(super) canary: Option<Canary>,
}

/// What is asked of the unit at present.
#[derive(Debug)]
enum Stage {
    /// Nothing ever.
    Unusable,
    /// Which models it has.
    Walking { walk: Walk, not_before: Time, link: bool },
    /// Its registers.
    Polling(Box<Poller>),
}

/// What the hub was told last.
#[derive(Debug, Default)]
struct Told {
    answers: Option<bool>,
    identity: Option<(Identity, Option<String>)>,
    revision: u64,
    replies: u64,
    at: Option<Time>,
}

/// An inverter on the bus.
#[derive(Debug)]
pub(super) struct Unit {
    name: String,
    pub(super) enabled: bool,
    options: Options,
    /// It says itself what it has.
    walks: bool,
    stage: Stage,
    grid: GridLoss,
    faults: FaultBook,
    pub(super) writing: Option<TicketId>,
    told: Told,
    pub(super) news: VecDeque<UnitEvent>,
    /// When it was asked last.
    pub(super) served: Time,
    /// It is not asked before this, for the others' sake.
    pub(super) rests_until: Time,
    /// Questions in a row that it did not answer.
    misses: u32,
    has_answered: bool,
    /// Its last answer made no sense: the link may be out of step.
    pub(super) out_of_step: bool,
}

impl Unit {
    pub(super) fn new(config: UnitConfig, now: Time) -> Self {
        let mut news = VecDeque::new();
        let walks = matches!(config.family, Family::SunSpec);
        let stage = match config.family {
            Family::Profile(profile) => Stage::Polling(Box::new(Poller::new(&profile, config.options.clone()))),
            Family::SunSpec => Stage::Walking { walk: walk(&config.options), not_before: now, link: false },
            Family::Unusable(why) => {
                news.push_back(UnitEvent::Silent(why));
                Stage::Unusable
            }
        };
        let mut unit = Self {
            name: config.name,
            enabled: config.enabled,
            options: config.options,
            walks,
            stage,
            grid: GridLoss::new(config.nominal_v),
            faults: FaultBook::default(),
            writing: None,
            told: Told::default(),
            news,
            served: now,
            rests_until: now,
            misses: 0,
            has_answered: false,
            out_of_step: false,
        };
        unit.tell_quarantined();
        unit
    }

    pub(super) fn poller(&mut self) -> Option<&mut Poller> {
        match &mut self.stage {
            Stage::Polling(poller) => Some(poller),
            Stage::Unusable | Stage::Walking { .. } => None,
        }
    }

    pub(super) fn values(&self) -> Option<&Values> {
        match &self.stage {
            Stage::Polling(poller) => Some(poller.values()),
            Stage::Unusable | Stage::Walking { .. } => None,
        }
    }

    /// It is polled, and there is something to poll.
    pub(super) const fn is_polled(&self) -> bool {
        self.enabled && !matches!(self.stage, Stage::Unusable)
    }

    pub(super) fn answers(&self) -> bool {
        self.told.answers == Some(true)
    }

    /// How long one round of the safety class took last.
    pub(super) fn round(&self) -> Option<Duration> {
        match &self.stage {
            Stage::Polling(poller) if self.is_polled() && self.answers() => poller.round(),
            _ => None,
        }
    }

    /// Why it has no values: for whoever wants to see or set some.
    pub(super) fn why_nothing(&self) -> String {
        match &self.stage {
            Stage::Unusable => "its profile cannot be used; see the configuration".to_owned(),
            _ => "it has not said yet what it has; try again when it answers".to_owned(),
        }
    }

    /// The bus was opened, or put in order.
    pub(super) fn link_up(&mut self, now: Time) {
        if !self.is_polled() {
            return;
        }
        match &mut self.stage {
            Stage::Unusable => {}
            Stage::Walking { link, .. } => *link = true,
            Stage::Polling(poller) => poller.link_up(now),
        }
        self.take_events(now);
    }

    /// The bus is gone, or the unit is switched off.
    pub(super) fn link_down(&mut self, now: Time) {
        match &mut self.stage {
            Stage::Unusable => {}
            Stage::Walking { walk: under_way, link, .. } => {
                *link = false;
                *under_way = walk(&self.options);
            }
            Stage::Polling(poller) => poller.link_down(now),
        }
        self.take_events(now);
    }

    /// When it is to be asked next. `None`: not before something else happens.
    pub(super) fn due(&self) -> Option<Time> {
        let due = match &self.stage {
            _ if !self.is_polled() => None,
            Stage::Walking { not_before, link, .. } => link.then_some(*not_before),
            Stage::Polling(poller) => poller.poll_timeout(),
            Stage::Unusable => None,
        };
        due.map(|due| due.max(self.rests_until))
    }

    /// How urgent it is. `None`: nothing is due.
    pub(super) fn turn(&self, now: Time) -> Option<Turn> {
        if self.due()? > now {
            return None;
        }
        match &self.stage {
            Stage::Polling(poller) => poller.turn(now),
            Stage::Walking { .. } => Some(Turn::Rest),
            Stage::Unusable => None,
        }
    }

    /// What to ask now. `slowest` is the longest that an answer has taken on this bus.
    pub(super) fn ask(&mut self, now: Time, slowest: Duration) -> Option<Question> {
        let patience = self.patience(slowest);
        let question = match &mut self.stage {
            Stage::Unusable => None,
            Stage::Walking { walk, .. } => {
                walk.next_request().map(|request| Question { request, patience, canary: None })
            }
            Stage::Polling(poller) => poller.next_request(now).map(|request| {
                // None where the question is the serial number itself: a wrong one must come through to be judged.
                let canary = poller.canary().map(|(request, words)| Canary { request, words });
                Question { request, patience, canary }
            }),
        };
        // What it measures is not told here: while a question is open no round has an end.
        self.heed(now);
        question
    }

    /// How long to wait for it. Who did not answer has lost the right to let others wait for as long as its profile says:
    /// as a rule it is waited for three times as long as the slowest answer of this bus took.
    pub(super) fn patience(&self, slowest: Duration) -> Patience {
        let Stage::Polling(poller) = &self.stage else { return WALK_PATIENCE };
        let link = &poller.values().profile().link;
        let rule = self.has_answered || !self.misses.is_multiple_of(FULL_PATIENCE_EVERY);
        let short = self.misses > 0 && rule && !slowest.is_zero();
        Patience {
            timeout: if short { (slowest * 3).max(LEAST_PATIENCE).min(link.timeout) } else { link.timeout },
            lateness: LATENESS,
            spacing: link.spacing.min(BETWEEN),
        }
    }

    /// What came of the question.
    pub(super) fn answered(&mut self, now: Time, request: &Request, answer: &Result<Reply, Failure>) {
        self.served = now;
        if self.heard(request, answer) {
            self.misses = 0;
            self.has_answered = true;
            self.reach(Ok(()), now);
        } else if matches!(answer, Err(Failure::Timeout | Failure::Framing(_))) {
            self.misses = self.misses.saturating_add(1);
        }
        match &mut self.stage {
            Stage::Unusable => {}
            Stage::Walking { .. } => self.walked(now, answer),
            Stage::Polling(poller) => match answer {
                Ok(reply) => poller.handle_reply(now, reply),
                Err(failure) => poller.handle_failure(now, failure),
            },
        }
        if let Err(Failure::Exception(exception)) = answer
            && exception.is_gateway()
            && self.is_main(request)
        {
            self.reach(Err(format!("{exception}: check its power, its cable and its unit address")), now);
        }
        self.take_events(now);
    }

    /// It did not answer, which took so long: the others go first now.
    pub(super) fn rest(&mut self, waited: Duration, now: Time) {
        let times = if self.told.answers == Some(false) { SILENT_REST } else { REST };
        self.rests_until = now + ((waited + LATENESS) * times).min(LONGEST_REST);
    }

    /// The unit itself said something.
    fn heard(&self, request: &Request, answer: &Result<Reply, Failure>) -> bool {
        match answer {
            Ok(_) => true,
            Err(Failure::Exception(Exception(code))) => !Exception(*code).is_gateway() && self.is_main(request),
            Err(_) => false,
        }
    }

    fn is_main(&self, request: &Request) -> bool {
        match &self.stage {
            Stage::Polling(poller) => poller.unit(0) == Some(request.unit),
            _ => true,
        }
    }

    /// It answers, or it does not.
    fn reach(&mut self, how: Result<(), String>, now: Time) {
        if self.told.answers == Some(how.is_ok()) {
            return;
        }
        self.told.answers = Some(how.is_ok());
        self.news.push_back(match how {
            Ok(()) => {
                self.grid.connected(now);
                UnitEvent::Answers
            }
            Err(why) => UnitEvent::Silent(why),
        });
    }

    /// It is not asked any more, so whether it answers is not known.
    pub(super) fn forget_reach(&mut self) {
        self.told.answers = None;
    }

    /// It cannot answer, because there is no bus.
    pub(super) fn unreachable(&mut self, why: &str, now: Time) {
        if self.is_polled() {
            self.reach(Err(why.to_owned()), now);
        }
    }

    fn walked(&mut self, now: Time, answer: &Result<Reply, Failure>) {
        let Stage::Walking { walk: under_way, not_before, .. } = &mut self.stage else { return };
        match answer {
            Ok(reply) => under_way.handle_reply(reply),
            Err(failure) => under_way.handle_failure(failure),
        }
        *not_before = now + WALK_PATIENCE.spacing;
        let Some(end) = under_way.finished() else { return };
        let unit = self.options.unit.unwrap_or(SUNSPEC_UNIT);
        let profile = end.map_err(|why| why.to_string()).and_then(|found| {
            profile_of(found, unit).map_err(|problems| {
                let first = problems.first().map(ToString::to_string).unwrap_or_default();
                format!("its SunSpec models make no profile: {first}")
            })
        });
        match profile {
            Ok(profile) => {
                let mut poller = Poller::new(&Arc::new(profile), self.options.clone());
                poller.link_up(now);
                self.stage = Stage::Polling(Box::new(poller));
                self.tell_quarantined();
            }
            Err(why) => {
                *under_way = walk(&self.options);
                *not_before = now + WALK_AGAIN;
                self.reach(Err(why), now);
            }
        }
    }

    /// What the poller tells, and what it measures.
    pub(super) fn take_events(&mut self, now: Time) {
        self.heed(now);
        self.tell_known(now);
    }

    /// What the poller tells, and what follows from it for the hub.
    fn heed(&mut self, now: Time) {
        let Stage::Polling(poller) = &mut self.stage else { return };
        let mut quarantined = false;
        let mut silent = false;
        while let Some(event) = poller.poll_event() {
            match event {
                poller::Event::Read(_) | poller::Event::Identity(_) | poller::Event::Answers => {}
                poller::Event::OutOfStep => self.out_of_step = true,
                poller::Event::Quarantined(_) | poller::Event::Restored(_) => quarantined = true,
                poller::Event::Learned => {
                    let learned = poller.learned().clone();
                    self.options.learned.clone_from(&learned);
                    self.news.push_back(UnitEvent::Learned(learned));
                }
                poller::Event::Silent => silent = true,
                poller::Event::Written(done) => {
                    if let Some(ticket) = self.writing.take() {
                        self.news.push_back(UnitEvent::Written { ticket, done: Ok(done) });
                    }
                }
            }
        }
        if silent {
            let address = poller.unit(0).unwrap_or_default();
            self.reach(Err(silence(address, self.options.baud)), now);
        }
        if quarantined {
            self.tell_quarantined();
        }
        self.tell_identity();
    }

    fn tell_quarantined(&mut self) {
        let Stage::Polling(poller) = &self.stage else { return };
        let refused: Vec<String> = poller.learned().refused.iter().cloned().collect();
        if !refused.is_empty() || self.told.at.is_some() {
            self.news.push_back(UnitEvent::Quarantined(refused));
        }
    }

    fn tell_identity(&mut self) {
        let Stage::Polling(poller) = &self.stage else { return };
        let now = (poller.identity().clone(), poller.write_refusal());
        if self.told.identity.as_ref() != Some(&now) {
            self.news.push_back(UnitEvent::Identity(now.0.clone(), now.1.clone()));
            self.told.identity = Some(now);
        }
    }

    /// At the end of each round, so that it is told as a whole; the grid's coming and going at once.
    fn tell_known(&mut self, now: Time) {
        let Stage::Polling(poller) = &self.stage else { return };
        let values = poller.values();
        let urgent = self.grid.look(values, now);
        let changed = values.revision() != self.told.revision;
        let round_ends = poller.poll_timeout().is_none_or(|at| at > now + LULL);
        let read = poller.stats().replies != self.told.replies;
        let late = self.told.at.is_none_or(|at| now.since(at) >= TELL_EVERY);
        if urgent || (changed || read) && (round_ends || late) {
            self.tell_now(now);
        }
    }

    /// The bus turns to another unit, which may keep it for long: what was read in the middle of a round is told now.
    pub(super) fn turn_passes(&mut self, now: Time) {
        let Stage::Polling(poller) = &self.stage else { return };
        if self.told.at.is_some() && poller.stats().replies != self.told.replies {
            self.tell_now(now);
        }
    }

    fn tell_now(&mut self, now: Time) {
        if let Stage::Polling(poller) = &self.stage {
            let values = poller.values();
            let known = summary::inverter(&self.name, values, self.grid.grid(), &mut self.faults, now);
            self.told.revision = values.revision();
            self.told.replies = poller.stats().replies;
            self.told.at = Some(now);
            self.news.push_back(UnitEvent::Known(Box::new(known)));
        }
    }

    /// A class of registers is wanted now.
    pub(super) fn want(&mut self, class: PollClass, now: Time) {
        if let Some(poller) = self.poller() {
            poller.want(class, now);
        }
    }

    /// A person says that the device that answers is the right one. One that says itself what it has is asked that anew.
    pub(super) fn confirm(&mut self, now: Time) {
        let Stage::Polling(poller) = &mut self.stage else { return };
        poller.confirm_identity();
        let serial = match poller.identity() {
            Identity::Known { serial } => Some(serial.clone()),
            _ => None,
        };
        self.take_events(now);
        if self.walks && serial.is_some() && serial != self.options.serial {
            self.options.serial = serial;
            self.stage = Stage::Walking { walk: walk(&self.options), not_before: now, link: true };
        }
    }

    /// What is on its way to it is given up.
    pub(super) fn abandon_write(&mut self, why: &str, now: Time) {
        if let Some(poller) = self.poller() {
            poller.abandon_write(why, now);
        }
        self.take_events(now);
    }
}

fn walk(options: &Options) -> Walk {
    Walk::new(options.unit.unwrap_or(SUNSPEC_UNIT))
}

fn silence(address: u8, baud: Option<u32>) -> String {
    let check = match baud {
        Some(baud) => format!("its power, the cable (A and B swapped?), {baud} baud and parity, and its unit address"),
        None => "its power, its connection to the gateway, and its unit address".to_owned(),
    };
    format!("unit {address} does not answer: check {check}")
}
