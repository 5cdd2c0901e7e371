//! Settings: written one at a time and read back, and listed in full when somebody asks.

use std::sync::Arc;

use super::core::{Phase, Session};
use super::queries::Query;
use super::situation::{Situation, describe};
use super::window::{Owner, Slot};
use crate::grbl::event::Event;
use crate::grbl::line::Line;
use crate::model::Time;
use crate::model::command::{Outcome, Refused, TicketId, VoidReason};
use crate::model::machine::Firmware;
use crate::model::settings::same_value;

/// A setting as ordered: `$key=value`. The owner has checked that the value fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingOrder {
    /// Without the `$`.
    pub key: String,
    /// As to be sent.
    pub value: String,
}

/// A setting being written. Its ticket is answered when the value has been read back.
#[derive(Clone, Debug)]
pub(super) struct SettingRun {
    ticket: TicketId,
    order: SettingOrder,
    /// The controller said `ok`; what it keeps is being asked.
    written: bool,
    /// What it printed for this key since.
    read: Option<String>,
}

impl Session {
    /// Writes a setting: alone on the wire, answered when the controller has told what it keeps.
    ///
    /// # Errors
    /// Refused: there will be no outcome event for the ticket.
    pub fn set(&mut self, now: Time, order: SettingOrder, ticket: TicketId) -> Result<(), Refused> {
        self.may_ask(now)?;
        if self.setting.is_some() {
            return Err(Refused::because("another setting is being written"));
        }
        let text = format!("${}={}", order.key, order.value);
        let line = Line::new(&text, self.firmware).map_err(|error| Refused::because(error.to_string()))?;
        self.window.push(Slot::new(line, Owner::Ticket(ticket)));
        self.setting = Some(SettingRun { ticket, order, written: false, read: None });
        self.pump(now);
        Ok(())
    }

    /// Asks for everything that the firmware tells of its settings. The ticket ends when all has been told.
    ///
    /// # Errors
    /// Refused: there will be no outcome event for the ticket.
    pub fn list_settings(&mut self, now: Time, ticket: TicketId) -> Result<(), Refused> {
        self.may_ask(now)?;
        if self.listing.is_some() {
            return Err(Refused::because("the settings are being read already"));
        }
        let parts: &[Query] = match self.firmware {
            Some(Firmware::GrblHal) => &[
                Query::Settings,
                Query::Startup,
                Query::SettingGroups,
                Query::SettingDetails,
                Query::SettingDescriptions,
            ],
            Some(Firmware::FluidNc) => &[Query::Settings, Query::NamedSettings, Query::Configuration],
            Some(Firmware::Grbl) | None => &[Query::Settings, Query::Startup],
        };
        for part in parts {
            self.queries.want(*part);
        }
        self.listing = Some(ticket);
        self.pump(now);
        Ok(())
    }

    /// Settings are asked and written only where all firmwares answer at once, and never while anything jogs: a
    /// listing in a jog makes grblHAL deaf to the cancel (facts: grbl-protocol §0.16).
    fn may_ask(&self, now: Time) -> Result<(), Refused> {
        self.must_be_up()?;
        self.must_not_stream()?;
        if self.alarm.as_ref().is_some_and(|alarm| alarm.needs_reset) {
            return Err(Refused::because("this alarm needs a soft reset first (Ctrl+X)"));
        }
        match self.situation(now) {
            Situation::Idle | Situation::Alarm if self.jogger.lease.is_none() && self.jogger.cancel.is_none() => Ok(()),
            other => Err(Refused::because(format!("settings can wait: {}", describe(other)))),
        }
    }

    /// The write was answered `ok`. `false`: the ticket is not that of a setting.
    pub(super) fn setting_was_written(&mut self, ticket: TicketId) -> bool {
        let Some(run) = self.setting.as_mut().filter(|run| run.ticket == ticket) else { return false };
        run.written = true;
        run.read = None;
        self.queries.want_first(Query::ReadBack);
        true
    }

    /// The line that reads the setting back. Only FluidNC prints a single one.
    pub(super) fn read_back_line(&self) -> String {
        match (&self.setting, self.firmware) {
            (Some(run), Some(Firmware::FluidNc)) => format!("${}", run.order.key),
            (Some(run), _) if run.order.key.starts_with(['N', 'n']) => "$N".to_owned(),
            _ => "$$".to_owned(),
        }
    }

    /// A value passes by.
    pub(super) fn note_setting(&mut self, key: &str, value: &str) {
        self.book.value(key, value);
        self.book_changed = true;
        if let Some(run) = self.setting.as_mut().filter(|run| run.written && run.order.key.eq_ignore_ascii_case(key)) {
            run.read = Some(value.trim_end().to_owned());
        }
    }

    /// The read-back ended: what was printed is compared with what was sent.
    pub(super) fn on_read_back(&mut self, error: Option<u16>) {
        let Some(run) = self.setting.take() else { return };
        let SettingOrder { key, value } = &run.order;
        let outcome = match (&run.read, error) {
            (Some(read), _) if same_value(value, read) => Outcome::Done,
            (Some(read), _) => Outcome::Failed {
                code: 0,
                text: format!("the controller said ok to ${key}={value}, but it keeps {read}"),
            },
            (None, Some(code)) => Outcome::Failed {
                code,
                text: format!(
                    "${key}={value} was sent and taken, but reading it back failed: {}",
                    self.error_text(code)
                ),
            },
            (None, None) => Outcome::Failed {
                code: 0,
                text: format!("${key}={value} was sent and taken, but the controller does not list it"),
            },
        };
        // The numbered views follow the configuration, and limits follow them.
        if self.firmware == Some(Firmware::FluidNc) {
            self.queries.want(Query::Settings);
        }
        if key == "13" {
            self.queries.want(Query::Offsets);
        }
        self.outcome(run.ticket, outcome);
    }

    /// A question that will not be answered any more.
    pub(super) fn query_is_lost(&mut self, now: Time, query: Query) {
        self.queries.answered(query);
        match query {
            Query::ReadBack => {
                if let Some(run) = self.setting.take() {
                    let SettingOrder { key, value } = run.order;
                    let text =
                        format!("${key}={value} was sent and taken, but the controller did not tell what it keeps");
                    self.outcome(run.ticket, Outcome::Failed { code: 0, text });
                }
            }
            query if query.is_listing() => self.listing_step(false),
            query => self.queries.retry(query, now + super::queries::TIMEOUT),
        }
        self.tell_settings();
    }

    /// A question of a listing has ended, answered or not.
    pub(super) fn listing_step(&mut self, answered: bool) {
        self.listing_failed |= !answered;
        if self.queries.has_listing() {
            return;
        }
        self.book.complete = true;
        self.book_changed = true;
        let failed = std::mem::take(&mut self.listing_failed);
        if let Some(ticket) = self.listing.take() {
            self.outcome(ticket, if failed { Outcome::TimedOut } else { Outcome::Done });
        }
    }

    /// Reset, lost link: nobody will tell what became of it.
    pub(super) fn void_settings(&mut self, why: VoidReason) {
        // Until the `ok` the line itself is voided with all others.
        if let Some(run) = self.setting.take_if(|run| run.written) {
            self.outcome(run.ticket, Outcome::Voided { why, sent: true });
        }
        if let Some(ticket) = self.listing.take() {
            self.outcome(ticket, Outcome::Voided { why, sent: true });
        }
        self.queries.drop_settings();
    }

    /// A ticket has ended, whatever the reason.
    pub(super) fn setting_ended(&mut self, ticket: TicketId) {
        self.setting.take_if(|run| run.ticket == ticket);
    }

    /// Whether text that comes now belongs to a listing.
    pub(super) fn listing_now(&self) -> Option<Query> {
        match self.window.oldest().map(|slot| slot.owner) {
            Some(Owner::Query(query)) if query.is_listing() => Some(query),
            _ => None,
        }
    }

    /// A line of `$ESH`, which is the only one in which a tab means something.
    pub(super) fn take_description(&mut self, now: Time, line: &[u8]) -> bool {
        if !line.contains(&b'\t') || self.listing_now() != Some(Query::SettingDescriptions) {
            return false;
        }
        let text = String::from_utf8_lossy(line);
        let printable: String = text.chars().filter(|&c| c == '\t' || matches!(c, ' '..='~')).collect();
        self.book.description(&printable);
        self.last_line_reply = now;
        self.queries.heard(now);
        true
    }

    /// A line of `$CD` as text. `false`: it is not part of a listing.
    pub(super) fn take_listing_text(&mut self, now: Time, text: &str) -> bool {
        let Some(query) = self.listing_now() else { return false };
        if query == Query::Configuration {
            self.book.tree_line(text);
        }
        self.queries.heard(now);
        true
    }

    /// A bracketed pair. `false`: it is not part of a listing.
    pub(super) fn take_listing_info(&mut self, now: Time, key: &str, value: &str) -> bool {
        if self.listing_now().is_none() {
            return false;
        }
        self.book.info(key, value, self.axis_count);
        self.queries.heard(now);
        true
    }

    /// Tells the table where it changed and no listing is half-way.
    pub(super) fn tell_settings(&mut self) {
        let half_way = self.listing_now().is_some()
            || self.window.oldest().is_some_and(|s| s.owner == Owner::Query(Query::Settings));
        let Some(firmware) = self.firmware.filter(|_| self.book_changed && !half_way && self.phase == Phase::Up) else {
            return;
        };
        self.book_changed = false;
        let table = self.book.table(&self.tables.settings, firmware, self.axis_count);
        self.events.push_back(Event::Settings(Arc::new(table)));
    }
}
