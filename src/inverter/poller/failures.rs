//! What becomes of requests without a good answer.

use std::time::Duration;

use super::core::{Event, Job, Poller, RECHECK, SILENT_AFTER};
use super::search::{Search, Verdict};
use crate::inverter::profile::RegisterId;
use crate::inverter::request::{Exception, Failure};
use crate::model::Time;

/// A busy device is asked again after this, and so many times.
const BUSY_WAIT: Duration = Duration::from_millis(250);
const BUSY_TRIES: u8 = 3;
/// A service that the gateway cannot reach is tried again after this.
const SERVICE_WAIT: Duration = Duration::from_secs(10);
/// A silent device is asked less and less often, up to this.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

impl Poller {
    /// No good answer to the open request.
    pub fn handle_failure(&mut self, now: Time, failure: &Failure) {
        let Some((job, ..)) = self.open.take() else { return };
        self.not_before = now + self.values.profile().link.spacing;
        match failure {
            Failure::Exception(exception) => {
                self.stats.exceptions += 1;
                if self.failures >= SILENT_AFTER {
                    self.events.push_back(Event::Answers);
                }
                self.failures = 0;
                self.write_failed(now, &job, failure);
                self.refused(now, &job, *exception);
            }
            Failure::Timeout | Failure::Framing(_) => {
                if *failure == Failure::Timeout {
                    self.stats.timeouts += 1;
                } else {
                    self.stats.framing += 1;
                }
                self.write_failed(now, &job, failure);
                self.not_answered(now, &job);
            }
            Failure::Closed(_) => {
                self.write_failed(now, &job, failure);
                self.link_down(now);
            }
        }
    }

    fn not_answered(&mut self, now: Time, job: &Job) {
        self.failures = self.failures.saturating_add(1);
        self.doubt_identity();
        match job {
            Job::Read(job) => self.schedule.failed(*job, now, None),
            // What was being searched is asked as a whole again.
            Job::Probe => self.rebuild(now),
            Job::Recheck(register, _) => {
                self.rechecks.insert(*register, now + RECHECK);
            }
            Job::Identity | Job::Write => {}
        }
        if self.failures == SILENT_AFTER {
            self.lost();
            self.events.push_back(Event::Silent);
        }
        if self.failures >= SILENT_AFTER {
            let doubled = 1 << (self.failures - SILENT_AFTER).min(5);
            self.not_before = now + Duration::from_secs(doubled).min(LONGEST_WAIT);
        }
    }

    fn refused(&mut self, now: Time, job: &Job, exception: Exception) {
        if exception.is_gateway() {
            return self.unreachable(now, job);
        }
        match job {
            Job::Identity if exception.is_permanent() => {
                self.identity.cannot(&format!("asked for its serial number it answers {exception}"));
                self.values.set_lost(false);
                self.events.push_back(Event::Identity(self.identity.state.clone()));
            }
            Job::Identity => self.not_before = now + BUSY_WAIT,
            Job::Probe if exception.is_permanent() => self.search_answered(false, now),
            Job::Probe => self.not_before = now + BUSY_WAIT,
            Job::Recheck(register, _) => {
                self.rechecks.insert(*register, now + RECHECK);
            }
            Job::Write => {}
            Job::Read(job) => self.read_refused(now, *job, exception),
        }
    }

    fn read_refused(&mut self, now: Time, job: usize, exception: Exception) {
        let known = &self.schedule.jobs[job];
        let put_off = known.put_off;
        if !exception.is_permanent() {
            let tries = if exception.is_busy() { BUSY_TRIES } else { u8::from(exception == Exception::DEVICE) };
            return self.schedule.failed(job, now, (put_off < tries).then_some(BUSY_WAIT));
        }
        let (class, block) = (known.class, known.block.clone());
        if block.items.len() == 1 || exception == Exception::FUNCTION {
            for item in &block.items {
                self.quarantine(item.register, now);
            }
            self.rebuild(now);
        } else {
            self.schedule.jobs.remove(job);
            self.searches.push_back(Search::new(class, block));
        }
    }

    fn unreachable(&mut self, now: Time, job: &Job) {
        let service = match job {
            Job::Write => return,
            Job::Read(job) => self.schedule.jobs[*job].block.service,
            Job::Probe => self.searches.front().map_or(0, Search::service),
            Job::Recheck(_, block) => block.service,
            Job::Identity => {
                let profile = self.values.profile();
                profile.serial().map_or(0, |serial| profile.registers[serial].service)
            }
        };
        self.services_down[service] = Some(now + SERVICE_WAIT);
        if service == 0 {
            // Whoever answers there later has to say who it is.
            self.lost();
        }
        if matches!(job, Job::Identity) {
            self.not_before = now + SERVICE_WAIT;
        }
    }

    pub(super) fn search_answered(&mut self, taken: bool, now: Time) {
        let Some(search) = self.searches.front_mut() else { return };
        let Some(verdict) = search.answered(taken) else { return };
        let class = search.class;
        match verdict {
            Verdict::Before(cut) => {
                self.learned.cuts.insert(cut);
            }
            Verdict::Item(item) => self.quarantine(item.register, now),
        }
        self.events.push_back(Event::Learned);
        self.rebuild(now);
        self.schedule.want(class, now);
    }

    fn quarantine(&mut self, register: RegisterId, now: Time) {
        let id = self.values.profile().registers[register].id.clone();
        self.learned.refused.insert(id);
        self.rechecks.insert(register, now + RECHECK);
        self.values.quarantine(register, true);
        self.events.push_back(Event::Quarantined(register));
        self.events.push_back(Event::Learned);
    }

    pub(super) fn restore(&mut self, register: RegisterId, now: Time) {
        let id = self.values.profile().registers[register].id.clone();
        self.learned.refused.remove(&id);
        self.rechecks.remove(&register);
        self.values.quarantine(register, false);
        self.events.push_back(Event::Restored(register));
        self.events.push_back(Event::Learned);
        self.rebuild(now);
    }
}
