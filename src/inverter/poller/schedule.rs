//! When each read is due, and which of the due ones goes first.

use std::collections::HashMap;
use std::time::Duration;

use crate::inverter::plan::Block;
use crate::model::Time;
use crate::model::power::PollClass;

/// A read and when it is due.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) class: PollClass,
    pub(super) block: Block,
    /// `None`: it was read, and is not read again before the next connection.
    pub(super) due: Option<Time>,
    /// Somebody waits for it.
    pub(super) wanted: bool,
    /// Times it was put off because the device was busy or failed.
    pub(super) put_off: u8,
    /// How long the last answer took, from when the question was handed out.
    pub(super) took: Option<Duration>,
}

impl Job {
    fn is_due(&self, now: Time) -> bool {
        self.due.is_some_and(|due| due <= now)
    }
}

/// All reads of a device.
#[derive(Clone, Debug, Default)]
pub(super) struct Schedule {
    pub(super) jobs: Vec<Job>,
    /// Safety reads since another one had its turn.
    streak: usize,
    /// Whose turn it is in [`TURNS`].
    turn: usize,
}

/// How the slower classes share what safety leaves. Each gets at least every fourth of these turns, so that none
/// starves where the link cannot follow.
const TURNS: [PollClass; 4] = [PollClass::Flow, PollClass::Slow, PollClass::Flow, PollClass::Setting];

impl Schedule {
    /// Takes other reads. One that was there before keeps its time.
    pub(super) fn replace(&mut self, blocks: Vec<(PollClass, Block)>, now: Time) {
        let known: HashMap<_, _> =
            self.jobs.iter().map(|job| (job.block.items.first().map(|i| (i.register, i.word)), job.due)).collect();
        let old = |block: &Block| known.get(&block.items.first().map(|i| (i.register, i.word))).copied();
        self.jobs = blocks
            .into_iter()
            .map(|(class, block)| {
                let due = old(&block).unwrap_or(Some(now));
                Job { class, due, block, wanted: false, put_off: 0, took: None }
            })
            .collect();
    }

    /// Everything is due: a connection begins.
    pub(super) fn restart(&mut self, now: Time) {
        for job in &mut self.jobs {
            job.due = Some(now);
            job.put_off = 0;
        }
    }

    /// A class is wanted now.
    pub(super) fn want(&mut self, class: PollClass, now: Time) {
        for job in self.jobs.iter_mut().filter(|job| job.class == class) {
            job.due = Some(now);
            job.wanted = true;
        }
    }

    /// The read to do now. Safety goes first, but after each round of it one other read has its turn.
    pub(super) fn pick(&mut self, now: Time, reachable: impl Fn(usize) -> bool) -> Option<usize> {
        let due = |class: Option<PollClass>, wanted: bool| {
            let jobs = self.jobs.iter().enumerate().filter(|(_, job)| {
                job.is_due(now)
                    && reachable(job.block.service)
                    && class.map_or(job.class != PollClass::Safety, |class| job.class == class)
                    && (job.wanted || !wanted)
            });
            jobs.min_by_key(|(_, job)| job.due).map(|(at, _)| at)
        };
        let safety = due(Some(PollClass::Safety), false);
        let rounds = self.jobs.iter().filter(|job| job.class == PollClass::Safety).count();
        if let Some(safety) = safety.filter(|_| self.streak < rounds || due(None, false).is_none()) {
            self.streak += 1;
            return Some(safety);
        }
        // What somebody waits for, what is read once, and then turn by turn.
        let first = due(None, true).or_else(|| due(Some(PollClass::Once), false));
        let next = (0..TURNS.len()).map(|n| (self.turn + n) % TURNS.len());
        let turn = || next.clone().find_map(|turn| Some((turn, due(Some(TURNS[turn]), false)?)));
        let (picked, turn) = match first {
            Some(first) => (first, self.turn),
            None => turn().map(|(turn, job)| (job, turn + 1))?,
        };
        self.turn = turn;
        self.streak = 0;
        Some(picked)
    }

    /// The read was done.
    pub(super) fn done(&mut self, job: usize, now: Time) {
        let job = &mut self.jobs[job];
        job.wanted = false;
        job.put_off = 0;
        job.due = match (job.class.period(), job.due) {
            // In step with the clock, unless the link cannot follow.
            (Some(period), Some(due)) => Some((due + period).max(now)),
            (Some(period), None) => Some(now + period),
            (None, _) => None,
        };
    }

    /// The read failed; it is tried again after `wait`, or in its next period.
    pub(super) fn failed(&mut self, job: usize, now: Time, wait: Option<Duration>) {
        let job = &mut self.jobs[job];
        job.put_off = if wait.is_some() { job.put_off.saturating_add(1) } else { 0 };
        job.due = Some(now + wait.or(job.class.period()).unwrap_or(Duration::from_secs(60)));
    }

    /// A read of the safety class is due.
    pub(super) fn safety_is_due(&self, now: Time) -> bool {
        self.jobs.iter().any(|job| job.class == PollClass::Safety && job.is_due(now))
    }

    /// How long the reads of the safety class took when they were done last, together.
    pub(super) fn round(&self) -> Option<Duration> {
        let safety = self.jobs.iter().filter(|job| job.class == PollClass::Safety);
        let took: Option<Vec<Duration>> = safety.map(|job| job.took).collect();
        took.filter(|took| !took.is_empty()).map(|took| took.iter().sum())
    }

    /// When the next read is due.
    pub(super) fn next_due(&self, reachable: impl Fn(usize) -> bool) -> Option<Time> {
        self.jobs.iter().filter(|job| reachable(job.block.service)).filter_map(|job| job.due).min()
    }
}
