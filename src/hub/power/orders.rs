//! Orders about inverters: judged, counted, sent to a bus, answered once, written down.

use tokio::sync::oneshot;

use super::fold;
use super::inbox::News;
use super::said::Saying;
use super::writes::{self, OpenWrite};
use crate::driver::bus::BusOrder;
use crate::hub::run::Keeper;
use crate::inverter::write::Done;
use crate::model::Time;
use crate::model::audit::{AuditKind, AuditRow};
use crate::model::command::{Outcome, Refused, TicketId};
use crate::model::hub::Request;
use crate::model::legal;
use crate::model::power::{ChangeRow, PollClass, PowerOrder, Saved, UnitState, Wanted};
use crate::store::now_ms;

impl Keeper {
    /// An order about inverters. `None`: its answer comes later.
    pub(in crate::hub) fn power_order(&mut self, request: &Request, order: &PowerOrder, now: Time) -> Option<Outcome> {
        if let Err(why) = legal::check(&request.command, &self.snapshot, now) {
            return Some(Outcome::Refused(why));
        }
        let done = match order {
            PowerOrder::Set { inverter, settings } => match self.judge(request, inverter, settings, now) {
                Ok(()) => return None,
                refused => refused,
            },
            PowerOrder::Arm => {
                self.power.arming.arm(now);
                self.show_arming(now);
                Ok(())
            }
            PowerOrder::Disarm => {
                self.power.arming.disarm();
                self.show_arming(now);
                Ok(())
            }
            PowerOrder::ConfirmIdentity { inverter } => self.order_of(inverter, |unit| BusOrder::Confirm { unit }),
            PowerOrder::ReadSettings { inverter } => {
                self.order_of(inverter, |unit| BusOrder::Want { unit, class: PollClass::Setting })
            }
            PowerOrder::Enable { inverter, on } => self.enable(inverter, *on),
            PowerOrder::Reconnect { bus } => {
                let bus = self.snapshot.power.buses.iter().position(|known| known.name == *bus);
                self.power.order_bus(bus.unwrap_or(usize::MAX), BusOrder::Reconnect)
            }
            PowerOrder::ForgetSaved { inverter, id } => self.forget_saved(inverter, id),
        };
        Some(done.map_or_else(|outcome| outcome, |()| Outcome::Done))
    }

    fn place(&self, inverter: &str) -> usize {
        let known = self.snapshot.power.inverters.iter().position(|unit| unit.known.name == inverter);
        known.unwrap_or(usize::MAX)
    }

    fn order_of(&self, inverter: &str, what: impl FnOnce(usize) -> BusOrder) -> Result<(), Outcome> {
        self.power.order(self.place(inverter), what)
    }

    /// First it is asked what a set would do: what is so already does not count, and nothing is written that is too
    /// often.
    fn judge(&mut self, request: &Request, inverter: &str, settings: &[Wanted], now: Time) -> Result<(), Outcome> {
        let place = self.place(inverter);
        let ticket = request.ticket;
        let armed = self.power.arming.is_armed(now);
        let (answer, answered) = oneshot::channel();
        let settings = settings.to_vec();
        self.power.order(place, |unit| BusOrder::Check { unit, settings: settings.clone(), armed, answer })?;
        self.power.tell_when(answered, move |rows: Result<Result<Vec<ChangeRow>, Vec<String>>, String>| {
            Some(News::Judged { ticket, rows: rows.unwrap_or_else(|why| Err(vec![why])) })
        });
        let open = OpenWrite {
            place,
            settings,
            who: self.audit.words(&request.origin),
            by: self.audit.asker(&request.origin),
            asked: now,
            asked_ms: now_ms(),
            sent: false,
            answered: false,
        };
        self.power.open.insert(ticket, open);
        fold::change(&mut self.snapshot.power, place, |unit| unit.writing = true);
        self.power_changed();
        Ok(())
    }

    /// It is known what a set would do: it is written, or refused.
    pub(super) fn judged(&mut self, now: Time, ticket: TicketId, rows: Result<Vec<ChangeRow>, Vec<String>>) {
        let Some(open) = self.power.open.get(&ticket).filter(|open| !open.answered) else { return };
        let (place, settings) = (open.place, open.settings.clone());
        let sent = rows.and_then(|rows| self.within_budget(place, &rows)).map_err(|why| writes::refused(&why));
        let armed = self.power.arming.is_armed(now);
        let sent = sent.and_then(|()| self.power.order(place, |unit| BusOrder::Set { ticket, unit, settings, armed }));
        match sent {
            Ok(()) => {
                if let Some(open) = self.power.open.get_mut(&ticket) {
                    open.sent = true;
                }
            }
            Err(outcome) => {
                self.power.open.remove(&ticket);
                self.not_writing(place);
                self.answer(now, ticket, outcome);
            }
        }
    }

    fn within_budget(&self, place: usize, rows: &[ChangeRow]) -> Result<(), Vec<String>> {
        let Some(end) = self.power.ends.get(place) else { return Ok(()) };
        let why = writes::over_budget(rows, &end.memory.device.budget, self.power.allowance, now_s());
        if why.is_empty() { Ok(()) } else { Err(why) }
    }

    /// A set came to its end.
    pub(super) fn written(&mut self, at: Time, ticket: TicketId, done: Result<Vec<Done>, Vec<String>>) {
        let Some(open) = self.power.open.remove(&ticket) else {
            tracing::warn!(?ticket, "a set of settings has ended that nobody asked for");
            return;
        };
        let done = match done {
            Ok(done) => done,
            Err(why) => {
                if !open.answered {
                    self.not_writing(open.place);
                    self.answer(at, ticket, writes::refused(&why));
                }
                return;
            }
        };
        let report = writes::report(&open.who, at, &done);
        self.audit_writes(&open, &done, at);
        self.count_writes(open.place, &done);
        self.save_written(&open, &done, at);
        let outcome = writes::outcome(&report);
        fold::change(&mut self.snapshot.power, open.place, |unit| {
            unit.writing &= open.answered;
            for row in report.rows.iter().filter(|row| row.good) {
                unit.drift.remove(&row.id);
            }
            unit.last_write = Some(report.into());
        });
        self.power_changed();
        self.power.show_books();
        if !open.answered {
            // Each register has its own row in the audit.
            self.answer_audited(at, ticket, outcome);
        }
    }

    fn audit_writes(&mut self, open: &OpenWrite, done: &[Done], at: Time) {
        let took_ms = u64::try_from(at.since(open.asked).as_millis()).unwrap_or(u64::MAX);
        let inverter = self.power.ends.get(open.place).map(|end| end.name.clone()).unwrap_or_default();
        for done in done {
            let before = done.before.as_deref().unwrap_or(&done.change.before_text);
            self.audit.row(AuditRow {
                at_ms: open.asked_ms,
                kind: AuditKind::Setting,
                who: open.who.clone(),
                by: open.by.clone(),
                what: format!("{inverter}: {} {before} -> {}", done.change.id, done.change.after_text),
                outcome: done.written.words(),
                took_ms: Some(took_ms),
            });
        }
    }

    fn count_writes(&mut self, place: usize, done: &[Done]) {
        let Some(end) = self.power.ends.get_mut(place) else { return };
        let mut any = false;
        for done in done.iter().filter(|done| done.written.was_sent()) {
            end.memory.device.budget.record(&done.change.id, now_s());
            any = true;
        }
        if any {
            self.power.remember(place);
        }
    }

    /// What a person set is kept, once the device has said it.
    fn save_written(&mut self, open: &OpenWrite, done: &[Done], at: Time) {
        let Some(end) = self.power.ends.get_mut(open.place) else { return };
        let profile = end.profile.clone();
        for done in done.iter().filter(|done| done.written.is_good()) {
            if !writes::is_kept(profile.as_deref(), done) {
                continue;
            }
            let id = done.change.id.clone();
            let text = done.change.after_text.clone();
            let saved = Saved { id: id.clone(), text, who: open.who.clone(), at_ms: now_ms() };
            self.power.kept.save(&end.name, &saved);
            end.written.insert(id.clone(), at);
            end.saved.insert(id, saved);
        }
    }

    fn enable(&mut self, inverter: &str, on: bool) -> Result<(), Outcome> {
        let place = self.place(inverter);
        self.power.order(place, |unit| BusOrder::Enable { unit, on })?;
        if let Some(end) = self.power.ends.get_mut(place) {
            end.memory.device.enabled = Some(on);
            end.said.forget();
            self.power.kept.enabled(&end.name, on, true);
            self.power.remember(place);
        }
        fold::change(&mut self.snapshot.power, place, |unit| {
            if unit.enabled != on {
                unit.enabled = on;
                unit.state = if on { UnitState::Waiting } else { UnitState::Off };
            }
        });
        self.power_changed();
        Ok(())
    }

    fn forget_saved(&mut self, inverter: &str, id: &str) -> Result<(), Outcome> {
        let place = self.place(inverter);
        let forgotten = self.power.ends.get_mut(place).and_then(|end| end.saved.remove(id).map(|_| end.name.clone()));
        let Some(name) = forgotten else {
            let why = format!("nothing is saved of {id} of {inverter}");
            return Err(Outcome::Refused(Refused::because(why)));
        };
        self.power.kept.forget(&name, id);
        fold::change(&mut self.snapshot.power, place, |unit| drop(unit.drift.remove(id)));
        self.power.show_books();
        self.power_changed();
        Ok(())
    }

    fn show_arming(&mut self, now: Time) {
        let left = self.power.arming.left(now);
        match left {
            Some(left) => self.power.disarm_after(left),
            None => self.power.keep_awake_no_more(),
        }
        std::sync::Arc::make_mut(&mut self.snapshot.power).armed_until = left.map(|left| now + left);
        self.power_changed();
    }

    /// Arming ends by itself.
    pub(super) fn disarm_if_over(&mut self, now: Time) {
        if self.snapshot.power.armed_until.is_some() && !self.power.arming.is_armed(now) {
            self.power.arming.disarm();
            self.show_arming(now);
            let text = "dangerous inverter settings are disarmed".to_owned();
            self.say(now, "sunmill", Saying::info(text));
        }
    }
}

/// This moment, in seconds of Unix time.
pub(super) fn now_s() -> u64 {
    now_ms().unsigned_abs() / 1000
}
