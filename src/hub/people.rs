//! Who is attached, and who is in control.

use std::collections::HashMap;
use std::sync::Arc;

use super::run::Keeper;
use crate::model::command::{ClientId, Command, Outcome, Refused};
use crate::model::hub::Request;
use crate::model::log::LogItem;
use crate::model::machine::MessageLevel;
use crate::model::people::{Control, ControlOrder, People, PeopleNews, STALE_AFTER};
use crate::model::time::Time;

/// When clients in other processes were heard of last.
#[derive(Debug, Default)]
pub(super) struct Heard(HashMap<ClientId, Time>);

impl Keeper {
    /// The server tells of a client.
    pub(super) fn take_people(&mut self, news: PeopleNews) {
        let now = self.clock.now();
        match news {
            PeopleNews::Came(person) => {
                if !person.local {
                    self.heard.0.insert(person.id, now);
                    self.announce(now, format!("{} is attached ({})", person.words(), person.program));
                }
                let people = self.people();
                people.clients.retain(|known| known.id != person.id);
                people.clients.push(person);
            }
            PeopleNews::Heard(id) => {
                self.heard.0.insert(id, now);
                if let Some(control) = &self.snapshot.people.control
                    && control.client == id
                    && control.stale
                {
                    self.set_stale(false);
                }
            }
            PeopleNews::Dropped(id, dropped) => {
                if let Some(person) = self.people().clients.iter_mut().find(|person| person.id == id) {
                    person.dropped = dropped;
                }
            }
            PeopleNews::Gone(id) => {
                self.heard.0.remove(&id);
                let who = self.snapshot.people.find(id).map(crate::model::people::Person::words);
                self.people().clients.retain(|person| person.id != id);
                let held = self.snapshot.people.control.as_ref().is_some_and(|control| control.client == id);
                if held {
                    self.people().control = None;
                }
                if let Some(who) = who {
                    let and = if held { ", who was in control" } else { "" };
                    self.announce(now, format!("{who}{and} has left"));
                }
            }
        }
    }

    /// Control of a client that was not heard of for long can be taken by anybody.
    pub(super) fn age_control(&mut self) {
        let Some(control) = self.snapshot.people.control.as_ref().filter(|control| !control.stale) else { return };
        let Some(heard) = self.heard.0.get(&control.client) else { return };
        if self.clock.now().since(*heard) >= STALE_AFTER {
            self.set_stale(true);
        }
    }

    fn set_stale(&mut self, stale: bool) {
        if let Some(control) = &mut self.people().control {
            control.stale = stale;
        }
    }

    /// Who asks has to be in control, and is from the first thing that needs it on, where nobody else is.
    ///
    /// # Errors
    /// Somebody else is in control.
    pub(super) fn hold_control(&mut self, request: &Request, now: Time) -> Result<(), Outcome> {
        if !request.command.needs_control() {
            return Ok(());
        }
        if let Some(why) = self.snapshot.people.refusal(&request.origin) {
            return Err(Outcome::Refused(why));
        }
        self.give_control(request, now);
        Ok(())
    }

    /// An order about control, carried out at once.
    pub(super) fn control_order(&mut self, request: &Request, now: Time) -> Option<Outcome> {
        let Command::Control(order) = &request.command else { return None };
        let client = request.origin.client();
        let mine = self.snapshot.people.control.as_ref().is_some_and(|control| Some(control.client) == client);
        Some(match order {
            ControlOrder::Acquire => match self.snapshot.people.refusal(&request.origin) {
                Some(why) => Outcome::Refused(why),
                None => {
                    self.give_control(request, now);
                    Outcome::Done
                }
            },
            ControlOrder::Take { reason } => {
                if let Some(before) = self.people().control.take_if(|control| Some(control.client) != client) {
                    let who = self.snapshot.people.words(&request.origin);
                    let why = if reason.is_empty() { String::new() } else { format!(": {reason}") };
                    self.announce(now, format!("{who} takes control from {}{why}", before.who));
                }
                self.give_control(request, now);
                Outcome::Done
            }
            ControlOrder::Release if mine => {
                self.people().control = None;
                self.announce(now, format!("{} gives control back", self.snapshot.people.words(&request.origin)));
                Outcome::Done
            }
            ControlOrder::Release => Outcome::Refused(Refused::because("you are not in control")),
        })
    }

    fn give_control(&mut self, request: &Request, now: Time) {
        let Some(client) = request.origin.client() else { return };
        if self.snapshot.people.control.as_ref().is_some_and(|control| control.client == client) {
            return;
        }
        let who = self.snapshot.people.words(&request.origin);
        self.people().control = Some(Control { client, who: who.clone(), since: now, stale: false });
        if self.snapshot.people.clients.len() > 1 {
            self.announce(now, format!("{who} is in control"));
        }
    }

    fn people(&mut self) -> &mut People {
        self.snapshot.rev += 1;
        Arc::make_mut(&mut self.snapshot.people)
    }

    fn announce(&mut self, now: Time, text: String) {
        self.journal.write(now, LogItem::Note { level: MessageLevel::Info, text });
    }
}
