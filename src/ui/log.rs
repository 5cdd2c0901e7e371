//! The hub's log as a screen keeps it: every entry but the wire, with how much it matters.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::time::Duration;

use super::console::{outcome_text, realtime_name};
use super::editor::Editor;
use crate::model::Time;
use crate::model::command::{Origin, Outcome};
use crate::model::hub::LogEvent;
use crate::model::log::{LogEntry, LogItem};
use crate::model::machine::MessageLevel;

/// Entries that are kept.
const MOST: usize = 4000;

/// How much an entry matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// How it came about: what the hub asks by itself, what went well.
    Detail,
    /// What happened.
    #[default]
    Info,
    /// What is suspicious, or was refused.
    Warning,
    /// What failed.
    Error,
}

impl Level {
    /// What is shown from this level on.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Detail => "all",
            Self::Info => "what happened",
            Self::Warning => "warnings and errors",
            Self::Error => "errors",
        }
    }

    /// A letter, so that colour is not needed.
    pub const fn mark(self) -> &'static str {
        match self {
            Self::Detail => ".",
            Self::Info => " ",
            Self::Warning => "W",
            Self::Error => "E",
        }
    }

    const fn next(self) -> Self {
        match self {
            Self::Detail => Self::Info,
            Self::Info => Self::Warning,
            Self::Warning => Self::Error,
            Self::Error => Self::Detail,
        }
    }
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place; rises by one.
    pub seq: u64,
    /// When it happened, in the hub's time.
    pub at: Time,
    /// How much it matters.
    pub level: Level,
    /// Who or what it comes from.
    pub source: String,
    /// What happened.
    pub text: String,
}

/// The entries, and which of them are looked at.
#[derive(Clone, Debug, Default)]
pub struct LogBook {
    entries: VecDeque<Entry>,
    next_seq: u64,
    /// The least level that is shown.
    pub level: Level,
    /// Words that an entry must have.
    pub filter: Editor,
    /// The lowest entry on the screen, where that is not the latest one.
    anchor: Option<u64>,
}

impl LogBook {
    /// Takes a log event.
    pub fn take(&mut self, event: &LogEvent) {
        match event {
            LogEvent::Entry(entry) => self.entry(entry),
            LogEvent::Gap(lost) => {
                let at = self.entries.back().map_or(Time::ZERO, |entry| entry.at);
                self.add(at, Level::Warning, "sunmill", format!("{lost} entries were lost: this terminal is too slow"));
            }
        }
    }

    fn entry(&mut self, entry: &LogEntry) {
        let at = entry.at;
        match &entry.what {
            LogItem::Sent { origin, text, .. } => {
                let level = if *origin == Origin::Hub { Level::Detail } else { Level::Info };
                self.add(at, level, &origin.to_string(), format!("sends {text}"));
            }
            LogItem::SentRealtime(realtime) => {
                if let Some(name) = realtime_name(*realtime) {
                    self.add(at, Level::Info, "sent", name.to_owned());
                }
            }
            LogItem::Received { level, text } => self.add(at, level_of(*level), "machine", text.clone()),
            LogItem::Outcome { origin, what, outcome, latency, .. } => {
                self.outcome(at, origin, what, outcome, *latency);
            }
            LogItem::Alarm { code, text } => {
                let number = if *code == 0 { String::new() } else { format!(" {code}") };
                self.add(at, Level::Error, "machine", format!("ALARM{number}: {text}"));
            }
            LogItem::State(state) => self.add(at, Level::Info, "machine", format!("state {state}")),
            LogItem::Note { level, text } => self.add(at, level_of(*level), "sunmill", text.clone()),
            LogItem::Wire { .. } => {}
        }
    }

    fn outcome(&mut self, at: Time, origin: &Origin, what: &str, outcome: &Outcome, latency: Duration) {
        let level = match outcome {
            Outcome::Done => Level::Detail,
            Outcome::Refused(_) | Outcome::Voided { .. } => Level::Warning,
            Outcome::Failed { .. } | Outcome::TimedOut => Level::Error,
        };
        self.add(at, level, &origin.to_string(), format!("{what}: {}", outcome_text(outcome, latency).0));
    }

    fn add(&mut self, at: Time, level: Level, source: &str, text: String) {
        self.next_seq += 1;
        if self.entries.len() == MOST {
            self.entries.pop_front();
        }
        self.entries.push_back(Entry { seq: self.next_seq, at, level, source: source.to_owned(), text });
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// None is kept.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Those that level and words leave, oldest first.
    pub fn shown(&self) -> Vec<&Entry> {
        let words = self.filter.text().to_lowercase();
        let words: Vec<&str> = words.split_whitespace().collect();
        let has = |entry: &Entry| {
            let text = format!("{} {}", entry.source, entry.text).to_lowercase();
            words.iter().all(|word| text.contains(word))
        };
        let matters = |entry: &&Entry| entry.level >= self.level;
        self.entries.iter().filter(matters).filter(|entry| words.is_empty() || has(entry)).collect()
    }

    /// The next level, from its end.
    pub fn next_level(&mut self) {
        self.level = self.level.next();
        self.anchor = None;
    }

    /// Looks `by` entries further back (negative) or on.
    pub fn scroll(&mut self, by: isize) {
        let shown = self.shown();
        let Some(last) = shown.last().map(|entry| entry.seq) else { return };
        let from = self.anchor.unwrap_or(last);
        let at = shown.partition_point(|entry| entry.seq < from).saturating_add_signed(by).min(shown.len() - 1);
        let seq = shown[at].seq;
        self.anchor = (seq < last).then_some(seq);
    }

    /// Follows the latest entry again.
    pub fn follow(&mut self) {
        self.anchor = None;
    }

    /// How many of those that are `shown` lie below the lowest one on the screen.
    pub fn below(&self, shown: &[&Entry]) -> usize {
        self.anchor.map_or(0, |anchor| shown.iter().rev().take_while(|entry| entry.seq > anchor).count())
    }

    /// What is shown, as text for a file; `time` says when each happened.
    pub fn text(&self, time: impl Fn(Time) -> String) -> String {
        let mut text = String::new();
        for entry in self.shown() {
            let plain = entry.text.replace(char::is_control, " ");
            let _ = writeln!(text, "{} {} {}: {plain}", time(entry.at), entry.level.mark(), entry.source);
        }
        text
    }
}

const fn level_of(level: MessageLevel) -> Level {
    match level {
        MessageLevel::Verbose | MessageLevel::Debug => Level::Detail,
        MessageLevel::Info => Level::Info,
        MessageLevel::Warning => Level::Warning,
        MessageLevel::Error => Level::Error,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::StateKind;
    use crate::model::command::{ClientId, Refused, TicketId};
    use crate::model::machine::MachineState;

    fn take(book: &mut LogBook, what: LogItem) {
        book.take(&LogEvent::Entry(Arc::new(LogEntry { id: 0, at: Time::ZERO, what })));
    }

    fn note(level: MessageLevel, text: &str) -> LogItem {
        LogItem::Note { level, text: text.into() }
    }

    fn shown(book: &LogBook) -> Vec<&str> {
        book.shown().iter().map(|entry| entry.text.as_str()).collect()
    }

    #[test]
    fn each_level_has_what_matters_that_much() {
        let mut book = LogBook::default();
        let origin = Origin::Screen(ClientId(2));
        let ended = |outcome| LogItem::Outcome {
            ticket: TicketId(1),
            origin: origin.clone(),
            what: "G0 X1".into(),
            outcome,
            latency: Duration::from_millis(4),
        };
        take(&mut book, LogItem::Sent { ticket: TicketId(9), origin: Origin::Hub, text: "$G".into() });
        take(&mut book, ended(Outcome::Done));
        take(&mut book, LogItem::State(MachineState::plain(StateKind::Idle)));
        take(&mut book, ended(Outcome::Refused(Refused::because("on hold"))));
        take(&mut book, LogItem::Alarm { code: 1, text: "hard limit".into() });
        take(&mut book, LogItem::Wire { out: true, text: "?".into() });
        assert_eq!(shown(&book), ["state Idle", "G0 X1: not sent: on hold", "ALARM 1: hard limit"]);
        book.next_level();
        assert_eq!(shown(&book).len(), 2);
        book.next_level();
        assert_eq!(shown(&book), ["ALARM 1: hard limit"]);
        book.next_level();
        assert_eq!((book.level, shown(&book).len(), book.len()), (Level::Detail, 5, 5), "the wire is not among them");
    }

    #[test]
    fn words_narrow_it_in_any_order_and_case() {
        let mut book = LogBook::default();
        for text in ["link /dev/ttyUSB0 is up", "link is down", "roof answers"] {
            take(&mut book, note(MessageLevel::Info, text));
        }
        book.filter.insert("UP link");
        assert_eq!(shown(&book), ["link /dev/ttyUSB0 is up"]);
        book.filter.clear();
        book.filter.insert("sunmill");
        assert_eq!(shown(&book).len(), 3, "the source counts");
    }

    #[test]
    fn it_stays_where_you_look_and_follows_again() {
        let mut book = LogBook::default();
        for n in 0..10 {
            take(&mut book, note(MessageLevel::Info, &n.to_string()));
        }
        book.scroll(-4);
        assert_eq!(book.below(&book.shown()), 4);
        take(&mut book, note(MessageLevel::Info, "new"));
        assert_eq!(book.below(&book.shown()), 5, "a new entry moves nothing");
        book.scroll(99);
        assert_eq!(book.below(&book.shown()), 0);
        book.scroll(-99);
        assert_eq!(book.below(&book.shown()), 10);
        book.follow();
        assert_eq!(book.below(&book.shown()), 0);
    }

    #[test]
    fn the_oldest_go_and_losses_are_told() {
        let mut book = LogBook::default();
        for _ in 0..MOST {
            take(&mut book, note(MessageLevel::Info, "x"));
        }
        book.take(&LogEvent::Gap(7));
        assert_eq!(book.len(), MOST);
        let last = book.shown().pop().unwrap();
        assert!(last.level == Level::Warning && last.text.starts_with("7 entries were lost"), "{last:?}");
        book.filter.insert("lost");
        assert_eq!(
            book.text(|_| "12:00:00".into()),
            "12:00:00 W sunmill: 7 entries were lost: this terminal is too slow\n"
        );
    }
}
