//! What is said and asked about inverters.

use super::{Deed, Talk, Then, say};
use crate::model::desk::{Answer, Query};
use crate::model::power::{ChangeRow, Danger, PowerAnswer, PowerOrder, PowerQuery, Wanted};
use crate::model::snapshot::Snapshot;
use crate::model::{Command, Time, legal};
use crate::ui::power::{alerts, words};

impl Talk {
    /// A setting of an inverter is to be changed: what that would do is asked first.
    pub(super) fn set_inverter(
        &mut self,
        inverter: String,
        id: String,
        text: String,
        snapshot: &Snapshot,
        now: Time,
    ) -> Vec<Deed> {
        let settings = vec![Wanted { id, text, shown: None }];
        let order = Command::Power(PowerOrder::Set { inverter: inverter.clone(), settings: settings.clone() });
        if let Err(why) = legal::check(&order, snapshot, now) {
            return say(format!("Not done: {why}."));
        }
        self.checking = Some((inverter.clone(), settings.clone()));
        vec![Deed::Ask(Query::Power(PowerQuery::CheckChanges { inverter, settings }))]
    }

    /// Lets dangerous settings be written, after a yes.
    pub(super) fn arm(&mut self, snapshot: &Snapshot, now: Time) -> Vec<Deed> {
        let order = Command::Power(PowerOrder::Arm);
        match legal::check(&order, snapshot, now) {
            Ok(()) => {
                self.ask(Then::Submit(order), "Dangerous settings of inverters may be written for 60 s then.", now)
            }
            Err(why) => say(format!("Not done: {why}.")),
        }
    }

    /// An answer to a question of this person.
    pub fn answered(&mut self, answer: &Answer, snapshot: &Snapshot, now: Time) -> Vec<Deed> {
        let (inverter, settings, rows) = match answer {
            Answer::Power(PowerAnswer::Changes { inverter, settings, rows }) => (inverter, settings, rows),
            Answer::Program(answer) => return self.program_answered(answer, snapshot, now),
            Answer::Done(Err(why)) if self.is_working_out() => return self.not_worked_out(why),
            Answer::Done(Err(why)) if self.checking.take().is_some() => return say(format!("Not done: {why}.")),
            _ => return Vec::new(),
        };
        if self.checking.as_ref() != Some(&(inverter.clone(), settings.clone())) {
            return Vec::new();
        }
        self.checking = None;
        match rows {
            Err(why) => say(format!("Not done: {}.", why.join("; "))),
            Ok(rows) if rows.iter().all(|row| row.unchanged) => say("It says that already; nothing is written."),
            Ok(rows) => self.ask_to_write(inverter, settings, rows, snapshot, now),
        }
    }

    fn ask_to_write(
        &mut self,
        inverter: &str,
        settings: &[Wanted],
        rows: &[ChangeRow],
        snapshot: &Snapshot,
        now: Time,
    ) -> Vec<Deed> {
        let dangerous = rows.iter().any(|row| row.danger == Danger::Dangerous);
        if dangerous && !snapshot.power.is_armed(now) {
            return say("Not done: that setting is dangerous. Type arm, then set it within 60 s.");
        }
        let told: Vec<String> = rows
            .iter()
            .map(|row| {
                let danger = words::danger(row.danger).map_or(String::new(), |word| format!(", {word}"));
                let warnings: Vec<String> = row.warnings.iter().map(|warning| format!(" {warning}.")).collect();
                format!("{} of {inverter}: from {} to {}{danger}.{}", row.id, row.before, row.after, warnings.concat())
            })
            .collect();
        // What was said as before must still be so when it is written.
        let settings = settings
            .iter()
            .zip(rows)
            .map(|(wanted, row)| Wanted { shown: Some(row.before.clone()), ..wanted.clone() })
            .collect();
        let order = PowerOrder::Set { inverter: inverter.to_owned(), settings };
        self.ask(Then::Submit(Command::Power(order)), &told.join(" "), now)
    }

    /// What of power needs attention and was not told yet, and what became of settings.
    pub(super) fn look_at_power(&mut self, snapshot: &Snapshot, now: Time) -> Vec<Deed> {
        let mut deeds = Vec::new();
        // Minutes that are left change all the time; the news is what comes before them.
        let news = |text: &str| text.split(';').next().unwrap_or_default().to_owned();
        let found: Vec<_> = alerts(&snapshot.power, now);
        for alert in &found {
            if !self.power_told.contains(&(alert.label, news(&alert.text))) {
                deeds.extend(say(format!("{}: {}.", alert.label, alert.text)));
            }
        }
        for (label, text) in &self.power_told {
            if !found.iter().any(|alert| (alert.label, news(&alert.text)) == (*label, text.clone())) {
                deeds.extend(say(format!("Over: {label}, {text}.")));
            }
        }
        self.power_told = found.iter().map(|alert| (alert.label, news(&alert.text))).collect();
        for unit in &snapshot.power.inverters {
            let Some(report) = &unit.last_write else { continue };
            let name = &unit.known.name;
            if self.writes_told.insert(name.clone(), report.at) == Some(report.at) {
                continue;
            }
            for row in &report.rows {
                let word = if row.good { "done" } else { "NOT done" };
                deeds.extend(say(format!("{} of {name} to {}: {word}, {}.", row.id, row.after, row.words)));
            }
        }
        deeds
    }
}
