//! What received lines mean for the session.

use super::core::{ActiveAlarm, Homing, Phase, Session};
use super::in_hand::InHand;
use super::pump::motion_of;
use super::queries::Query;
use super::window::{Owner, Slot};
use crate::grbl::event::{Event, ResetCause};
use crate::grbl::line::LineKind;
use crate::grbl::reply::{Banner, Reply};
use crate::model::Time;
use crate::model::axes::{Axis, AxisSet, AxisVec};
use crate::model::command::{Outcome, TicketId, VoidReason};
use crate::model::machine::{AlarmInfo, Firmware, MessageLevel, ReportedPosition, StateKind, StatusReport};
use crate::model::snapshot::LinkState;

/// Probe alarms say nothing about position.
const PROBE_ALARMS: [u16; 2] = [4, 5];

impl Session {
    pub(super) fn on_reply(&mut self, now: Time, reply: Reply) {
        self.identity.fold(&reply);
        if !matches!(reply, Reply::Status(_) | Reply::Garbage(_)) {
            self.last_line_reply = now;
        }
        match reply {
            Reply::Ok => self.on_answer(now, None),
            Reply::Error(code) => self.on_answer(now, Some(code)),
            Reply::Status(report) => self.on_status(now, *report),
            Reply::Alarm(code) => self.on_alarm(code),
            Reply::Banner(banner) => self.on_banner(now, &banner),
            Reply::Message { text, .. } if self.note_range(&text) => {}
            Reply::Message { .. } if self.reads_startup_log() => {}
            Reply::Message { level, text } => self.on_message(level, text),
            Reply::Modal(modal) => self.events.push_back(Event::Modal(modal)),
            Reply::Offset { name, value } => self.events.push_back(Event::Offset { name, value }),
            Reply::Probe(probe) => self.events.push_back(Event::Probe(probe)),
            Reply::Setting { name, value } => self.on_setting(name, value),
            Reply::Info { key, value } if self.take_listing_info(now, &key, &value) => {}
            Reply::Info { key, value } => self.text(format!("[{key}:{value}]")),
            Reply::Echo(text) => self.text(format!("[echo: {text}]")),
            Reply::Json(text) => self.text(format!("[JSON:{text}]")),
            Reply::Startup { line, error: None } => self.text(format!(">{line}:ok")),
            Reply::Startup { line, error: Some(code) } => self.text(format!(">{line}:error:{code}")),
            Reply::Text(text) if self.take_listing_text(now, &text) => {}
            Reply::Text(text) => {
                if self.phase != Phase::Up {
                    self.heard.note_text(&text);
                }
                self.text(text);
            }
            Reply::Garbage(bytes) => self.on_garbage(bytes),
            Reply::Empty => {}
        }
    }

    /// The answer to the session's own `$SS` is the boot log once more: nobody wants to read it again.
    fn reads_startup_log(&self) -> bool {
        self.window.oldest().is_some_and(|slot| slot.owner == Owner::Query(Query::StartupLog))
    }

    /// FluidNC's boot log tells the ends of each axis: `Axis X (0.000,300.000)`. `true`: it was told to the session
    /// alone and is no message.
    fn note_range(&mut self, text: &str) -> bool {
        let Some((axis, range)) = axis_range(text) else { return false };
        if let Some(place) = self.limits.told_range.get_mut(axis.index()).filter(|place| **place != Some(range)) {
            *place = Some(range);
            if !self.reads_startup_log() {
                self.events.push_back(Event::Limits(Box::new(self.limits.clone())));
            }
        }
        self.reads_startup_log()
    }

    fn text(&mut self, text: String) {
        self.events.push_back(Event::Message { level: MessageLevel::Info, text });
    }

    pub(super) fn on_garbage(&mut self, bytes: usize) {
        self.heard.garbage += bytes;
        self.events.push_back(Event::Garbage { bytes });
    }

    /// `ok` or `error:n`: belongs to the oldest unanswered line.
    fn on_answer(&mut self, now: Time, error: Option<u16>) {
        if self.restarting_until.is_some() {
            return; // Grbl lets one stale `ok` out between the reset and its banner (facts §3.1)
        }
        if self.answers_in_hand(now, error) {
            return;
        }
        let Some(slot) = self.window.answer() else {
            self.events.push_back(Event::UnexpectedReply);
            return;
        };
        if self.firmware == Some(Firmware::GrblHal) {
            match error {
                Some(_) if !slot.line.is_dollar() => self.sticky_error = true,
                None => self.sticky_error = false,
                Some(_) => {}
            }
        }
        match slot.owner {
            Owner::Sync => {}
            Owner::Query(query) => self.on_query_answer(now, query, error),
            Owner::JogIncrement => self.on_increment_answer(error),
            Owner::Ticket(ticket) => self.on_ticket_answer(&slot, ticket, error),
            Owner::Program(number) => return self.on_program_answer(now, number, slot.line, error),
        }
        // A setting that was ordered is read back by itself; one that was typed is found by asking for all.
        let accepted = error.is_none() && matches!(slot.owner, Owner::Ticket(_));
        if accepted && slot.kind == LineKind::SettingWrite && self.setting.is_none() {
            self.queries.want(Query::Settings);
        }
        // `$G` first: which system is active decides what the offsets add up to.
        if accepted && slot.line.changes_coordinates() {
            self.queries.want(Query::Modal);
            self.queries.want(Query::Offsets);
        }
        self.tell_settings();
    }

    fn on_ticket_answer(&mut self, slot: &Slot, ticket: TicketId, error: Option<u16>) {
        let homing = slot.kind == LineKind::Home;
        match error {
            None if homing => {
                // FluidNC says `ok` even when homing failed: the state decides, once seen.
                let mark = self.reports.mark();
                if let Some(homing) = &mut self.homing {
                    homing.mark = Some(mark);
                }
            }
            None if self.setting_was_written(ticket) => {}
            None => self.outcome(ticket, Outcome::Done),
            Some(code) => {
                if homing {
                    self.homing = None;
                    self.events.push_back(Event::Homing(false));
                }
                let text = self.error_text(code);
                self.outcome(ticket, Outcome::Failed { code, text });
            }
        }
    }

    /// An increment was refused (soft limit, wrong state): the jog ends.
    fn on_increment_answer(&mut self, error: Option<u16>) {
        let Some(code) = error else { return };
        self.jogger.motion.clear();
        if let Some(lease) = self.jogger.lease.take() {
            let text = self.error_text(code);
            self.outcome(lease.ticket, Outcome::Failed { code, text });
        }
    }

    pub(super) fn error_text(&self, code: u16) -> String {
        match self.tables.error(self.firmware, code) {
            Some(row) => format!("{} {}", row.meaning, row.remedy).trim().to_owned(),
            None => "this firmware's table has no such error".into(),
        }
    }

    fn on_query_answer(&mut self, now: Time, query: Query, error: Option<u16>) {
        self.queries.answered(query);
        match (query, error) {
            (Query::BuildInfo, None) => match self.identity.finish() {
                Some(identity) => self.identified(identity),
                None => self.queries.retry(query, now + super::queries::TIMEOUT),
            },
            // Half a line of an earlier sender may have stood in the receive buffer before ours.
            (Query::BuildInfo, Some(_)) => self.queries.retry(query, now),
            (Query::AutoReport, None) => self.reports.pushed = true,
            (Query::AutoReport, Some(_)) => self.reports.pushed = false,
            (Query::Settings | Query::StartupLog, None) => {
                self.events.push_back(Event::Limits(Box::new(self.limits.clone())));
            }
            (Query::ReadBack, _) => {
                // The table goes first: who waits for the outcome then sees the new value.
                self.events.push_back(Event::Limits(Box::new(self.limits.clone())));
                self.tell_settings();
                self.on_read_back(error);
            }
            _ if query.is_listing() => self.listing_step(true),
            _ => {}
        }
    }

    fn on_status(&mut self, now: Time, report: StatusReport) {
        self.reports.reported(now);
        if let Some(ReportedPosition::Machine(position) | ReportedPosition::Work(position)) = &report.position {
            self.axis_count = position.len();
        }
        if let Some((homed, axes)) = report.homed {
            // grblHAL tells what is *not* homed; that it says "homed" even after a hard limit is not believed.
            let still = if homed { axes.unwrap_or(self.homed) } else { AxisSet::EMPTY };
            let kept = self.homed.iter().filter(|axis| still.contains(*axis)).collect();
            self.set_homed(kept);
        }
        self.note_alarm_state(&report);
        if matches!(self.phase, Phase::Asking { .. }) {
            self.phase = Phase::Identifying;
            self.queries.want_identity();
            self.set_link(LinkState::Identifying);
        }
        self.report = Some(report.clone());
        self.events.push_back(Event::Status(Box::new(report)));
    }

    /// An alarm that is only seen in reports (after connecting), and the end of one.
    fn note_alarm_state(&mut self, report: &StatusReport) {
        let in_alarm = report.state.kind == StateKind::Alarm;
        if in_alarm && self.alarm.is_none() {
            let info = report.state.sub.and_then(|code| self.tables.alarm(self.firmware, code.into())).cloned();
            let needs_reset = info.as_ref().is_some_and(|info| info.needs_soft_reset);
            self.alarm = Some(ActiveAlarm { info: info.clone(), needs_reset });
            self.set_homed(AxisSet::EMPTY);
            self.events.push_back(Event::Alarm { info, needs_reset });
        } else if !in_alarm && self.alarm.take().is_some() {
            self.events.push_back(Event::AlarmCleared);
        }
    }

    fn on_alarm(&mut self, code: u16) {
        let info = self.tables.alarm(self.firmware, code).cloned().unwrap_or_else(|| AlarmInfo {
            code,
            name: "unknown".into(),
            meaning: "this firmware's table has no such alarm.".into(),
            remedy: "Look at the machine, then reset and home.".into(),
            needs_soft_reset: false,
            position_lost: Some(true),
        });
        if info.position_lost != Some(false) && !PROBE_ALARMS.contains(&code) {
            self.set_homed(AxisSet::EMPTY);
        }
        // What was in the controller at the alarm is unknowable; what still waits here is not sent into it.
        for slot in self.window.drop_pending(|_| true) {
            match slot.owner {
                Owner::Ticket(ticket) => self.outcome(ticket, Outcome::Voided { why: VoidReason::Alarm, sent: false }),
                Owner::Query(_) => self.queries.voided(),
                Owner::JogIncrement | Owner::Sync | Owner::Program(_) => {}
            }
        }
        let open: Vec<_> = self.jogger.tickets().collect();
        for ticket in open {
            self.outcome(ticket, Outcome::Voided { why: VoidReason::Alarm, sent: false });
        }
        self.jogger = super::jogger::Jogger::default();
        self.resuming_until = None;
        if !self.window.open().any(|slot| motion_of(slot).is_some()) {
            self.unsettled = None;
        }
        if let Some(homing) = &mut self.homing {
            homing.failed = Some((info.code, format!("{} {}", info.meaning, info.remedy)));
        }
        let needs_reset = info.needs_soft_reset;
        self.alarm = Some(ActiveAlarm { info: Some(info.clone()), needs_reset });
        self.events.push_back(Event::Alarm { info: Some(info), needs_reset });
        self.void_stream(VoidReason::Alarm);
    }

    /// The controller (re)started. Anything that was open is void; who it is, is asked again.
    fn on_banner(&mut self, now: Time, banner: &Banner) {
        let asked = self.restarting_until.take().is_some();
        // Leaving check mode restarts the parser, on FluidNC without an `ok` (facts §5), and so does `$Bye`.
        let restarts = |slot: &Slot| matches!(slot.kind, LineKind::CheckToggle | LineKind::Restart);
        let by_line = if self.window.oldest().is_some_and(restarts) { self.window.answer() } else { None };
        if let Some(Owner::Ticket(ticket)) = by_line.as_ref().map(|slot| slot.owner) {
            self.outcome(ticket, Outcome::Done);
        }
        let left_check = self.state().is_some_and(|state| state.kind == StateKind::Check);
        let expected = asked || by_line.as_ref().is_some_and(|slot| slot.kind == LineKind::CheckToggle) || left_check;
        let surprised = !asked && self.window.open().any(may_be_left_over);
        if !asked {
            self.void_tickets(VoidReason::ControllerReset);
            if !expected {
                self.set_homed(AxisSet::EMPTY);
            }
            self.unsettled = None;
            self.resuming_until = None;
            self.sticky_error = false;
        }
        // Still locked or not, the next report tells; but what needed a reset has had it now.
        if let Some(alarm) = self.alarm.as_mut().filter(|alarm| alarm.needs_reset) {
            alarm.needs_reset = false;
            self.events.push_back(Event::Alarm { info: alarm.info.clone(), needs_reset: false });
        }
        let cause = match self.phase {
            _ if expected => ResetCause::Asked,
            Phase::Asking { .. } if self.reports.last_report().is_none() => ResetCause::OnOpening,
            _ => ResetCause::ByItself,
        };
        self.events.push_back(Event::Reset { cause, banner: banner.text.clone() });
        // What a compatible banner cannot tell apart, $I has told before.
        self.firmware = self.firmware.or(Some(banner.firmware));
        if expected && self.phase == Phase::Up {
            self.queries.want(Query::Modal);
            self.queries.want(Query::Offsets);
            if self.firmware == Some(Firmware::FluidNc) {
                self.queries.want(Query::AutoReport);
            }
        } else {
            self.reports.pushed = false;
            self.phase = Phase::Asking { since: now };
            self.queries.clear();
            self.set_link(LinkState::Asking);
        }
        let _ = self.reports.mark();
        self.await_in_hand(now);
        if surprised {
            self.throw_away(now);
        }
    }

    /// Lines were on their way when the controller restarted. What came before that is lost; what came after it lies in its
    /// receive buffer and would run, with modes that it was not written for (facts §3.1, "Soft reset"), beside all that is
    /// sent from now on. Nobody can tell the one from the other, so a reset throws away both. It moves nothing, and takes
    /// nothing that is still believed: a restart that nobody asked for has cost the homed position already.
    fn throw_away(&mut self, now: Time) {
        self.send_reset(now);
        self.in_hand = (self.firmware == Some(Firmware::FluidNc)).then_some(InHand::Restarting);
        let text =
            "the controller restarted while lines were on their way to it: reset once more, so that none of them runs";
        self.events.push_back(Event::Message { level: MessageLevel::Warning, text: text.to_owned() });
    }

    fn on_message(&mut self, level: MessageLevel, text: String) {
        // `[MSG:Homed:XY]` names the axes that FluidNC has homed.
        if let (Some(homing), Some(letters)) = (&mut self.homing, text.trim().strip_prefix("Homed:")) {
            for axis in letters.chars().filter_map(Axis::from_letter) {
                homing.told.insert(axis);
            }
        }
        self.events.push_back(Event::Message { level, text });
    }

    pub(super) fn begin_homing(&mut self, ticket: TicketId, axes: AxisSet) {
        let kept = self.homed.iter().filter(|axis| !axes.contains(*axis)).collect();
        self.set_homed(kept);
        self.homing = Some(Homing { ticket, axes, told: AxisSet::EMPTY, mark: None, failed: None });
        self.events.push_back(Event::Homing(true));
    }

    /// The end of a homing cycle: by the state that was asked for after the `ok`, not by the `ok`.
    pub(super) fn step_homing(&mut self, _now: Time) {
        let Some(homing) = &self.homing else { return };
        let Some(mark) = homing.mark else { return };
        if !self.reports.is_proved(mark) && homing.failed.is_none() {
            return;
        }
        let kind = self.state().map(|state| state.kind);
        if homing.failed.is_none() && matches!(kind, Some(StateKind::Home | StateKind::Run)) {
            let mark = self.reports.mark();
            if let Some(homing) = &mut self.homing {
                homing.mark = Some(mark);
            }
            return;
        }
        let Some(homing) = self.homing.take() else { return };
        let outcome = match (homing.failed, kind) {
            (Some((code, text)), _) => Outcome::Failed { code, text },
            (None, Some(StateKind::Idle)) => {
                let axes = if homing.told.is_empty() { homing.axes } else { homing.told };
                self.set_homed(self.homed.union(axes));
                Outcome::Done
            }
            (None, _) => {
                Outcome::Failed { code: 0, text: "homing did not end in Idle; nothing counts as homed".into() }
            }
        };
        self.events.push_back(Event::Homing(false));
        self.outcome(homing.ticket, outcome);
    }

    /// Settings that limit motion are gathered as they pass by, whoever asked for the listing.
    fn on_setting(&mut self, name: String, value: String) {
        if let Ok(number) = name.parse::<u16>() {
            let count = self.axis_count;
            let per_axis = |table: &mut AxisVec, first: u16| {
                if table.len() < count {
                    let mut wider = AxisVec::zeros(count);
                    for (axis, v) in table.iter() {
                        wider.set(axis, v);
                    }
                    *table = wider;
                }
                if let (Some(axis), Ok(v)) = (Axis::from_index(usize::from(number - first)), value.trim().parse()) {
                    table.set(axis, v);
                }
            };
            let flag = || value.trim().split('.').next().and_then(|v| v.parse::<u32>().ok()).map(|v| v != 0);
            match number {
                13 => self.limits.report_inches = flag(),
                20 => self.limits.soft_limits = flag(),
                21 => self.limits.hard_limits = flag(),
                22 => {
                    self.limits.homing = flag();
                    self.limits.homing_flags = value.trim().parse().ok();
                }
                23 => self.limits.homes_negative = value.trim().parse().ok().map(AxisSet::from_mask),
                30 => self.limits.spindle_max_rpm = value.trim().parse().ok(),
                110..=118 => per_axis(&mut self.limits.max_rate_mm_min, 110),
                120..=128 => per_axis(&mut self.limits.acceleration_mm_s2, 120),
                130..=138 => per_axis(&mut self.limits.travel_mm, 130),
                _ => {}
            }
        }
        self.note_setting(&name, &value);
        if self.listing_now().is_some() {
            self.queries.heard(self.pumped_at);
        }
        self.events.push_back(Event::Setting { name, value });
    }
}

/// A line that may lie in the buffer of a controller that has just restarted. The session's own questions go one at a time
/// and alone, and a `$H` that failed is what restarts a Grbl.
fn may_be_left_over(slot: &Slot) -> bool {
    !matches!(slot.owner, Owner::Query(_) | Owner::Sync) && slot.kind != LineKind::Home
}

/// `Axis X (0.000,300.000)`.
fn axis_range(text: &str) -> Option<(Axis, (f64, f64))> {
    let (letter, range) = text.trim().strip_prefix("Axis ")?.split_once(' ')?;
    let mut letters = letter.chars();
    let axis = letters.next().and_then(Axis::from_letter).filter(|_| letters.next().is_none())?;
    let (low, high) = range.strip_prefix('(')?.strip_suffix(')')?.split_once(',')?;
    let (low, high): (f64, f64) = (low.parse().ok()?, high.parse().ok()?);
    (low.is_finite() && high.is_finite() && low < high).then_some((axis, (low, high)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_lines_of_axes_tell_ranges() {
        assert_eq!(axis_range("Axis X (0.000,300.000)"), Some((Axis::X, (0.0, 300.0))));
        assert_eq!(axis_range("Axis Z (-60.000,0.000)"), Some((Axis::Z, (-60.0, 0.0))));
        for text in ["Axis count 3", "Axis X", "Axis X (1,1)", "Axis XY (0,1)", "Axis X (a,b)", "Axis Q (0,1)", ""] {
            assert_eq!(axis_range(text), None, "{text}");
        }
    }
}
