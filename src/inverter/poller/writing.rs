//! Settings on their way, between the reads and before them.

use super::core::{Event, Job, Poller};
use crate::inverter::identity::Identity;
use crate::inverter::request::{Failure, Reply, Request};
use crate::inverter::validate::Change;
use crate::inverter::write::WriteSequence;
use crate::model::Time;
use crate::model::power::PollClass;

impl Poller {
    /// Writes a set of changes that passed [`check`](crate::inverter::validate::check). What became of it comes as
    /// [`Event::Written`].
    ///
    /// # Errors
    /// Why nothing is written: another set is on its way, there is no connection, or it is not the device that is
    /// expected.
    pub fn write(&mut self, changes: Vec<Change>) -> Result<(), String> {
        if self.writer.is_some() {
            return Err("another change is on its way to this device; wait for its end".to_owned());
        }
        if let Some(why) = self.write_refusal() {
            return Err(why);
        }
        if changes.is_empty() {
            return Err("there is nothing to write".to_owned());
        }
        self.writer = Some(WriteSequence::new(self.values(), self.units.clone(), changes));
        Ok(())
    }

    /// A set of changes is on its way.
    pub const fn is_writing(&self) -> bool {
        self.writer.is_some()
    }

    /// Gives up what is on its way to the device; what became of it comes as [`Event::Written`].
    pub fn abandon_write(&mut self, why: &str, now: Time) {
        if let Some(writer) = &mut self.writer {
            writer.abandon(why);
            self.end_write(now);
        }
    }

    pub(super) fn next_of_write(&mut self, now: Time) -> Option<Request> {
        let request = self.writer.as_mut()?.next_request(now);
        self.end_write(now);
        request
    }

    pub(super) fn write_answered(&mut self, now: Time, reply: &Reply) {
        if let Some(writer) = &mut self.writer {
            writer.handle_reply(now, reply);
            // Whoever looks after the write sees what was read back, and not what was there before until the settings are read again.
            let read = writer.take_read();
            let registers: Vec<_> = read.iter().map(|(register, _)| *register).collect();
            for (register, words) in read {
                self.values.accept_register(register, &words, now);
            }
            if !registers.is_empty() {
                self.events.push_back(Event::Read(registers));
            }
        }
        self.end_write(now);
    }

    pub(super) fn write_failed(&mut self, now: Time, job: &Job, failure: &Failure) {
        if let (Job::Write, Some(writer)) = (job, &mut self.writer) {
            writer.handle_failure(now, failure);
        }
        self.end_write(now);
    }

    /// Ends a write that waits for a link which does not come back.
    pub(super) fn end_write_in_vain(&mut self, now: Time) {
        if let Some(writer) = &mut self.writer
            && writer.deadline().is_some_and(|deadline| deadline <= now)
        {
            writer.abandon("there was no answer for too long");
            self.end_write(now);
        }
    }

    /// Ends a write when another device answers than the one it was meant for.
    pub(super) fn end_write_of_another(&mut self, now: Time) {
        if let Some(writer) = &mut self.writer
            && !matches!(self.identity.state, Identity::Known { .. })
        {
            writer.abandon("another device answers now");
            self.end_write(now);
        }
    }

    fn end_write(&mut self, now: Time) {
        let Some(done) = self.writer.as_ref().and_then(WriteSequence::finished) else { return };
        self.events.push_back(Event::Written(done.to_vec()));
        self.writer = None;
        self.schedule.want(PollClass::Setting, now);
    }
}
