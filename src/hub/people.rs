//! Who is attached, and who is in control.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use super::arbiter;
use super::run::Keeper;
use crate::model::command::{ClientId, Command, Origin, Outcome, Realtime, Refused};
use crate::model::hub::Request;
use crate::model::log::LogItem;
use crate::model::machine::MessageLevel;
use crate::model::people::{Control, ControlOrder, OnClientLoss, People, PeopleNews, Person, STALE_AFTER};
use crate::model::time::Time;

/// What is kept of clients beside what all see.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// When those in other processes were heard of last.
    last: HashMap<ClientId, Time>,
    on_loss: OnClientLoss,
    /// Who has left of late: what they asked for may come after that.
    gone: VecDeque<ClientId>,
    /// Who was in control since it came: its going is of interest, whatever it is.
    led: HashSet<ClientId>,
}

/// So many of those who have left are remembered: more than may be attached.
const GONE: usize = 128;

impl Keeper {
    /// How clients are treated here.
    pub(super) fn people_rules(&mut self, local_priority: bool, on_loss: OnClientLoss) {
        self.people().local_priority = local_priority;
        self.heard.on_loss = on_loss;
    }

    /// The server tells of a client.
    pub(super) fn take_people(&mut self, news: PeopleNews) {
        let now = self.clock.now();
        match news {
            PeopleNews::Came(person) => {
                self.audit.name(&person);
                if !person.local {
                    self.heard.last.insert(person.id, now);
                    let text = format!("{} is attached ({})", person.words(), person.program);
                    self.tell(now, of_interest(person.screen), text);
                }
                let people = self.people();
                people.clients.retain(|known| known.id != person.id);
                people.clients.push(person);
            }
            PeopleNews::Named(person) => self.audit.name(&person),
            PeopleNews::Heard(id) => {
                self.heard.last.insert(id, now);
                if let Some(control) = &self.snapshot.people.control
                    && control.client == id
                    && control.stale
                {
                    self.set_stale(false);
                    self.audit.lease(&self.origin_of(id), "keeps control", "heard of again");
                }
            }
            PeopleNews::Fares(id, fares) => {
                if let Some(person) = self.people().clients.iter_mut().find(|person| person.id == id) {
                    person.fares = fares;
                }
            }
            PeopleNews::Gone(id) => {
                self.heard.last.remove(&id);
                self.heard.gone.truncate(GONE - 1);
                self.heard.gone.push_front(id);
                self.spindle_left(id, now);
                let origin = self.origin_of(id);
                let person = self.snapshot.people.find(id);
                let (who, screen) = (person.map(Person::words), person.is_some_and(|person| person.screen));
                self.people().clients.retain(|person| person.id != id);
                let control = self.snapshot.people.control.as_ref().filter(|control| control.client == id);
                // Who fell silent before was lost then; somebody may have gone on since.
                let (held, silent) = (control.is_some(), control.is_some_and(|control| control.stale));
                if held {
                    self.people().control = None;
                }
                let led = self.heard.led.remove(&id);
                if let Some(who) = who {
                    let and = if held { ", who was in control" } else { "" };
                    self.tell(now, of_interest(screen || led), format!("{who}{and} has left"));
                    if held {
                        self.audit.lease(&origin, "gives control back", "it has left");
                    }
                }
                if held && screen && !silent {
                    self.lost_operator(now);
                }
            }
            PeopleNews::TurnedAway { who, what } => {
                let text = format!("somebody at {who} {what}");
                self.journal.write(now, LogItem::Note { level: MessageLevel::Warning, text });
                self.audit.turned_away(who, what);
            }
        }
    }

    /// Control of a client that was not heard of for long can be taken by anybody.
    pub(super) fn age_control(&mut self) {
        let Some(control) = self.snapshot.people.control.as_ref().filter(|control| !control.stale) else { return };
        let Some(heard) = self.heard.last.get(&control.client) else { return };
        let (now, client) = (self.clock.now(), control.client);
        if now.since(*heard) >= STALE_AFTER {
            self.set_stale(true);
            let why = format!("not heard of for {} s", STALE_AFTER.as_secs());
            self.audit.lease(&self.origin_of(client), "anybody may take control", &why);
            if self.snapshot.people.find(client).is_some_and(|person| person.screen) {
                self.lost_operator(now);
            }
        }
    }

    /// The screen that is in control is lost: a program that runs is treated as configured.
    fn lost_operator(&mut self, now: Time) {
        let runs = self.snapshot.programs.run.as_ref().is_some_and(|run| run.state.is_open());
        let (realtime, what) = match self.heard.on_loss {
            OnClientLoss::Hold if runs => (Realtime::FeedHold, "held"),
            OnClientLoss::Stop if runs => (Realtime::StopProgram, "ended"),
            _ => return,
        };
        self.latch.set(realtime);
        self.announce(
            now,
            format!("the screen that was in control is lost: the program is {what} (attach.on_client_loss)"),
        );
    }

    fn origin_of(&self, id: ClientId) -> Origin {
        let screen = self.snapshot.people.find(id).is_some_and(|person| person.screen);
        if screen { Origin::Screen(id) } else { Origin::Script(id) }
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
        self.is_there(request)?;
        if let Some(why) = self.snapshot.people.refusal(&request.origin, now) {
            return Err(Outcome::Refused(why));
        }
        let has = self.snapshot.people.control.as_ref().map(|control| control.client);
        if request.origin.client().is_none() || has == request.origin.client() {
            return Ok(());
        }
        // Who asks for what cannot be done takes nothing from anybody.
        arbiter::may(&request.command, &self.snapshot, now).map_err(Outcome::Refused)?;
        self.take_over(request, now);
        self.give_control(request, now);
        // A screen that nobody can attach to beside is not worth a row.
        if request.origin.client().is_some_and(|client| self.snapshot.people.find(client).is_some()) {
            let by = format!("the first to ask for something: {}", arbiter::describe(&request.command));
            self.audit.lease(&request.origin, "is in control", &by);
        }
        Ok(())
    }

    /// Nobody who has left moves anything, or gets control that nobody could give back.
    fn is_there(&self, request: &Request) -> Result<(), Outcome> {
        match request.origin.client() {
            Some(client) if self.heard.gone.contains(&client) => {
                Err(Outcome::Refused(Refused::because("who asked for it has left")))
            }
            _ => Ok(()),
        }
    }

    /// An order about control, carried out at once.
    pub(super) fn control_order(&mut self, request: &Request, now: Time) -> Option<Outcome> {
        let Command::Control(order) = &request.command else { return None };
        if let Err(outcome) = self.is_there(request) {
            return Some(outcome);
        }
        let client = request.origin.client();
        let mine = self.snapshot.people.control.as_ref().is_some_and(|control| Some(control.client) == client);
        Some(match order {
            ControlOrder::Acquire => match self.snapshot.people.refusal(&request.origin, now) {
                Some(why) => Outcome::Refused(why),
                None => {
                    self.take_over(request, now);
                    self.give_control(request, now);
                    Outcome::Done
                }
            },
            ControlOrder::Take { .. } if self.is_outranked(client) => Outcome::Refused(Refused::because(
                "who is at the machine's own console is in control, and that goes before others here (attach.local_priority)",
            )),
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

    /// Who is in control is at the machine's own console, this client is not, and that counts here.
    fn is_outranked(&self, client: Option<ClientId>) -> bool {
        let people = &self.snapshot.people;
        let held = people.control.as_ref().filter(|control| !control.stale);
        held.zip(client).is_some_and(|(control, client)| people.outranks(control.client, client))
    }

    /// From who was not heard of for long, or who is outranked: they are told.
    fn take_over(&mut self, request: &Request, now: Time) {
        let (people, client) = (&self.snapshot.people, request.origin.client());
        let Some(before) = people.control.as_ref().filter(|control| Some(control.client) != client) else { return };
        let text = format!("{} takes control from {}", people.words(&request.origin), before.who);
        self.people().control = None;
        self.announce(now, text);
    }

    fn give_control(&mut self, request: &Request, now: Time) {
        let Some(client) = request.origin.client() else { return };
        if self.snapshot.people.control.as_ref().is_some_and(|control| control.client == client) {
            return;
        }
        self.heard.led.insert(client);
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
        self.tell(now, MessageLevel::Info, text);
    }

    fn tell(&mut self, now: Time, level: MessageLevel, text: String) {
        self.journal.write(now, LogItem::Note { level, text });
    }
}

/// Scripts come and go by the thousand: that is told to who looks for it.
const fn of_interest(it_is: bool) -> MessageLevel {
    if it_is { MessageLevel::Info } else { MessageLevel::Debug }
}
