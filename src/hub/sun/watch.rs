//! A rule over time: debounced, latched, one firing for each event. Pure.

use std::time::Duration;

use super::look::{Looked, View, shown};
use crate::model::Time;
use crate::model::sun::{Expr, Quantity, Rule, Seen, Truth};

/// A rule that has fired may do so again once its condition was false for that long without a break.
const REARM: Duration = Duration::from_secs(60);
/// Samples in a row that have to say the same before a value of a device is acted upon.
const SAMPLES: u8 = 2;

/// A rule, and what it remembers.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    pub(super) rule: Rule,
    pub(super) truth: Truth,
    /// Since when that is so.
    pub(super) since: Time,
    pub(super) seen: Vec<Seen>,
    /// It has fired and waits for the end of the event.
    pub(super) latched: bool,
    false_since: Option<Time>,
    memory: Memory,
}

/// What a condition remembers: for each part that is read from a device, and for each time that is waited for, in the order in
/// which they are met.
#[derive(Clone, Debug, Default)]
struct Memory {
    leaves: Vec<Leaf>,
    times: Vec<Option<Time>>,
}

/// A part that is read from a device.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Leaf {
    accepted: Truth,
    candidate: Truth,
    seen: u8,
    last: Option<Time>,
}

impl Leaf {
    /// What one sample says becomes what is believed when the next one says the same. A value that is looked at again is no
    /// new sample; one that is not known is so at once.
    pub(super) fn take(&mut self, truth: Truth, at: Option<Time>) -> Truth {
        let Some(at) = at.filter(|_| truth != Truth::Unknown) else {
            *self = Self::default();
            return truth;
        };
        if self.last.is_none_or(|last| at > last) {
            self.last = Some(at);
            self.seen = if truth == self.candidate { self.seen.saturating_add(1) } else { 1 };
            self.candidate = truth;
            if self.seen >= SAMPLES {
                self.accepted = truth;
            }
        }
        // The last sample says otherwise: it may be noise, or the first of many.
        if self.candidate == self.accepted { self.accepted } else { Truth::Unknown }
    }
}

impl Watch {
    pub(super) fn new(rule: Rule, now: Time) -> Self {
        Self {
            rule,
            truth: Truth::Unknown,
            since: now,
            seen: Vec::new(),
            latched: false,
            false_since: None,
            memory: Memory::default(),
        }
    }

    /// Looks at everything again. `true`: the rule fires.
    pub(super) fn look(&mut self, view: &View<'_>) -> bool {
        let mut walk = Walk { view, memory: &mut self.memory, leaf: 0, time: 0, seen: Vec::new() };
        let truth = walk.evaluate(&self.rule.when.expr);
        self.seen = walk.seen;
        if truth != self.truth {
            (self.truth, self.since) = (truth, view.now);
        }
        self.false_since = match truth {
            Truth::False => self.false_since.or(Some(view.now)),
            // Nobody knows that the event is over.
            Truth::True | Truth::Unknown => None,
        };
        if self.false_since.is_some_and(|since| view.now.since(since) >= REARM) {
            self.latched = false;
        }
        let fires = truth == Truth::True && !self.latched;
        self.latched |= fires;
        fires
    }

    /// A program begins: an event that is over, or of which nobody knows whether it is, does not hide the next one from it.
    pub(super) fn begin_program(&mut self) {
        if self.truth != Truth::True {
            self.latched = false;
        }
    }
}

/// One walk through a condition.
struct Walk<'a, 'v> {
    view: &'a View<'v>,
    memory: &'a mut Memory,
    leaf: usize,
    time: usize,
    seen: Vec<Seen>,
}

impl Walk<'_, '_> {
    /// Every part is looked at each time, so that all of them remember and all values are shown.
    fn evaluate(&mut self, expr: &Expr) -> Truth {
        match expr {
            Expr::All(parts) => parts.iter().fold(Truth::True, |all, part| all.and(self.evaluate(part))),
            Expr::Any(parts) => parts.iter().fold(Truth::False, |any, part| any.or(self.evaluate(part))),
            Expr::Not(part) => self.evaluate(part).negated(),
            Expr::For(part, time) => self.held_for(part, *time),
            Expr::Compare(left, op, sum) => {
                let mut at = None;
                let left = self.number(*left, &mut at);
                let mut right = Some(sum.number);
                for (plus, quantity) in &sum.quantities {
                    let value = self.number(*quantity, &mut at);
                    right = right.zip(value).map(|(sum, value)| if *plus { sum + value } else { sum - value });
                }
                // Both without an end: nothing can be said.
                let sure = left.zip(right).filter(|(a, b)| !a.is_nan() && !b.is_nan());
                let truth = sure.map_or(Truth::Unknown, |(left, right)| op.holds(left, right).into());
                self.sampled(truth, at)
            }
            Expr::Is { choice, word, equal } => {
                let looked = self.view.choice(*choice);
                self.see(looked.seen(choice.name().to_owned(), |word| (*word).to_owned()));
                // The grid has been held against several samples and sources already.
                looked.value.map_or(Truth::Unknown, |found| ((found == *word) == *equal).into())
            }
            Expr::Flag(flag) => {
                let looked = self.view.flag(*flag);
                self.see(looked.seen(flag.name().to_owned(), |so| if *so { "yes" } else { "no" }.to_owned()));
                let truth = looked.value.map_or(Truth::Unknown, Truth::from);
                self.sampled(truth, looked.at)
            }
        }
    }

    fn number(&mut self, quantity: Quantity, at: &mut Option<Time>) -> Option<f64> {
        let looked: Looked<f64> = self.view.quantity(quantity);
        self.see(looked.seen(quantity.name(), |value| shown(*value, quantity)));
        // A comparison is read anew when any of its values is.
        *at = (*at).max(looked.at);
        looked.value.ok()
    }

    fn see(&mut self, seen: Seen) {
        if !self.seen.iter().any(|known| known.name == seen.name) {
            self.seen.push(seen);
        }
    }

    fn sampled(&mut self, truth: Truth, at: Option<Time>) -> Truth {
        let place = self.leaf;
        self.leaf += 1;
        if self.memory.leaves.len() <= place {
            self.memory.leaves.resize(place + 1, Leaf::default());
        }
        self.memory.leaves[place].take(truth, at)
    }

    fn held_for(&mut self, part: &Expr, time: Duration) -> Truth {
        let place = self.time;
        self.time += 1;
        if self.memory.times.len() <= place {
            self.memory.times.resize(place + 1, None);
        }
        let truth = self.evaluate(part);
        let since = &mut self.memory.times[place];
        match truth {
            Truth::True => {
                let begun = *since.get_or_insert(self.view.now);
                (self.view.now.since(begun) >= time).into()
            }
            // A break begins anew, and what was not known in between is one.
            Truth::False | Truth::Unknown => {
                *since = None;
                truth
            }
        }
    }
}
