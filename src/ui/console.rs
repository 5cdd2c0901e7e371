//! What the console shows: the hub's log, with each sent line joined to its answer.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::time::Duration;

use crate::model::command::{Origin, Outcome, Realtime, TicketId};
use crate::model::hub::LogEvent;
use crate::model::log::{LogEntry, LogItem};
use crate::model::machine::MessageLevel;

/// Lines that are kept of each kind.
const MAX_LINES: usize = 2000;

/// How a line is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Ordinary.
    Plain,
    /// Worth little attention.
    Quiet,
    /// It went well.
    Good,
    /// A warning.
    Warning,
    /// An error or alarm.
    Bad,
}

/// A line of the console.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Rises by one per line; the place in the scroll-back.
    pub seq: u64,
    /// One or two characters that tell what it is, so that colour is not needed.
    pub mark: &'static str,
    /// The text.
    pub text: String,
    /// What became of it, at the right.
    pub answer: String,
    /// How it is meant.
    pub tone: Tone,
    ticket: Option<TicketId>,
    jogs: u32,
}

/// What the console shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shown {
    /// What was sent, what came back, what happened.
    #[default]
    All,
    /// Every line on the wire.
    Wire,
    /// What the controller and sunmill have to say.
    Messages,
    /// What was sent from here, with its answers.
    Mine,
}

impl Shown {
    /// Heading of the console.
    pub const fn title(self) -> &'static str {
        match self {
            Self::All => "Console",
            Self::Wire => "Wire",
            Self::Messages => "Messages",
            Self::Mine => "Sent",
        }
    }

    const fn next(self) -> Self {
        match self {
            Self::All => Self::Wire,
            Self::Wire => Self::Messages,
            Self::Messages => Self::Mine,
            Self::Mine => Self::All,
        }
    }
}

/// The console's lines.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Console {
    lines: VecDeque<Line>,
    wire: VecDeque<Line>,
    next_seq: u64,
    /// What is shown.
    pub shown: Shown,
    /// Status reports, and the questions for them, are shown on the wire.
    pub show_reports: bool,
    /// The lowest line on the screen, where that is not the latest one.
    anchor: Option<u64>,
}

/// Something could not be done. While a key is held that is the jog, at a soft limit say, and the key must not ask for
/// the same again at every repeat.
pub fn is_failure(event: &LogEvent) -> bool {
    let LogEvent::Entry(entry) = event else { return false };
    let LogItem::Outcome { outcome, .. } = &entry.what else { return false };
    matches!(outcome, Outcome::Failed { .. } | Outcome::Refused(_))
}

impl Console {
    /// The lines that are shown now.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = &Line> {
        let lines = if self.shown == Shown::Wire { &self.wire } else { &self.lines };
        lines.iter().filter(|line| self.shows(line))
    }

    fn shows(&self, line: &Line) -> bool {
        let is_own = matches!(line.mark, ">" | ">>" | "-x");
        match self.shown {
            Shown::All => true,
            Shown::Wire => self.show_reports || !(line.text == "?" || line.text.starts_with('<')),
            Shown::Messages => !is_own,
            Shown::Mine => is_own,
        }
    }

    /// All lines that are shown, as text: a line each, with what became of it behind.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for line in self.lines() {
            let gap = if line.answer.is_empty() { "" } else { "    " };
            let _ = writeln!(text, "{:<2} {}{gap}{}", line.mark, line.text, line.answer);
        }
        text
    }

    /// Whether an event would change nothing that is looked at: the wire, while it is not.
    pub fn is_out_of_sight(&self, event: &LogEvent) -> bool {
        matches!(event, LogEvent::Entry(entry) if matches!(entry.what, LogItem::Wire { .. }))
            && self.shown != Shown::Wire
    }

    /// Takes a log event.
    pub fn take(&mut self, event: &LogEvent) {
        match event {
            LogEvent::Entry(entry) => self.entry(entry),
            LogEvent::Gap(n) => {
                self.add("!!", format!("{n} log lines were lost: this terminal is too slow"), Tone::Warning);
            }
        }
    }

    /// Something of the screen's own.
    pub fn say(&mut self, text: String, tone: Tone) {
        self.add("--", text, tone);
    }

    /// Shows the next kind of lines, from their end.
    pub fn show_next(&mut self) {
        self.shown = self.shown.next();
        self.anchor = None;
    }

    /// Shows status reports on the wire, or hides them.
    pub fn toggle_reports(&mut self) {
        self.show_reports = !self.show_reports;
        self.anchor = None;
    }

    /// Lines `by` further back (negative) or on.
    pub fn scroll(&mut self, by: isize) {
        let seqs: Vec<u64> = self.lines().map(|line| line.seq).collect();
        let Some(&last) = seqs.last() else { return };
        let from = self.anchor.unwrap_or(last);
        let at = seqs.partition_point(|seq| *seq < from).saturating_add_signed(by).min(seqs.len() - 1);
        self.anchor = (seqs[at] < last).then_some(seqs[at]);
    }

    /// Follows the latest line again.
    pub fn follow(&mut self) {
        self.anchor = None;
    }

    /// How many lines there are below the lowest one shown.
    pub fn below(&self) -> usize {
        self.anchor.map_or(0, |anchor| self.lines().rev().take_while(|line| line.seq > anchor).count())
    }

    /// The last `rows` lines down to the one looked at.
    pub fn visible(&self, rows: usize) -> impl Iterator<Item = &Line> {
        let mut page: Vec<&Line> = self.lines().rev().skip(self.below()).take(rows).collect();
        page.reverse();
        if page.len() < rows && self.anchor.is_some() {
            // Scrolled to the very start there is still a full page.
            page = self.lines().take(rows).collect();
        }
        page.into_iter()
    }

    fn entry(&mut self, entry: &LogEntry) {
        match &entry.what {
            LogItem::Sent { ticket, origin, text } => self.sent(*ticket, origin, text),
            LogItem::SentRealtime(realtime) => {
                if let Some(name) = realtime_name(*realtime) {
                    self.add(">>", name.to_owned(), Tone::Plain);
                }
            }
            LogItem::Received { level, text } => self.add("<", text.clone(), tone_of(*level)),
            LogItem::Outcome { ticket, origin, what, outcome, latency } => {
                self.outcome(*ticket, origin, what, outcome, *latency);
            }
            LogItem::Alarm { code, text } => {
                let number = if *code == 0 { String::new() } else { format!(" {code}") };
                self.add("!!", format!("ALARM{number}: {text}"), Tone::Bad);
            }
            LogItem::State(_) => {}
            // Who looks for details finds them on the page of the log.
            LogItem::Note { level: MessageLevel::Debug, .. } => {}
            LogItem::Note { level, text } => self.add("--", text.clone(), tone_of(*level)),
            LogItem::Wire { out, text } => {
                let line = self.line(if *out { ">" } else { "<" }, text.clone(), Tone::Plain);
                push(&mut self.wire, line);
            }
        }
    }

    /// The hub's own questions are book-keeping; they are on the wire view. Jog increments share one line.
    fn sent(&mut self, ticket: TicketId, origin: &Origin, text: &str) {
        if *origin == Origin::Hub {
            return;
        }
        let is_jog = text.starts_with("$J=");
        if let Some(last) = self.lines.back_mut().filter(|line| is_jog && line.jogs > 0) {
            last.jogs += 1;
            last.ticket = Some(ticket);
            last.text = format!("{text}  (jog, {} lines)", last.jogs);
            last.answer.clear();
            last.tone = Tone::Plain;
            return;
        }
        let mut line = self.line(">", text.to_owned(), Tone::Plain);
        line.ticket = Some(ticket);
        line.jogs = u32::from(is_jog);
        push(&mut self.lines, line);
    }

    fn outcome(&mut self, ticket: TicketId, origin: &Origin, what: &str, outcome: &Outcome, latency: Duration) {
        let (answer, tone) = outcome_text(outcome, latency);
        let sent = self.lines.iter_mut().rev().take(200).find(|line| line.ticket == Some(ticket));
        if let Some(line) = sent {
            line.answer = answer;
            line.tone = tone;
        } else if *origin != Origin::Hub && *outcome != Outcome::Done {
            let mut line = self.line("-x", what.to_owned(), tone);
            line.answer = answer;
            push(&mut self.lines, line);
        }
    }

    fn add(&mut self, mark: &'static str, text: String, tone: Tone) {
        let line = self.line(mark, text, tone);
        push(&mut self.lines, line);
    }

    fn line(&mut self, mark: &'static str, text: String, tone: Tone) -> Line {
        self.next_seq += 1;
        Line { seq: self.next_seq, mark, text, answer: String::new(), tone, ticket: None, jogs: 0 }
    }
}

fn push(lines: &mut VecDeque<Line>, line: Line) {
    if lines.len() == MAX_LINES {
        lines.pop_front();
    }
    lines.push_back(line);
}

const fn tone_of(level: MessageLevel) -> Tone {
    match level {
        MessageLevel::Verbose | MessageLevel::Debug => Tone::Quiet,
        MessageLevel::Info => Tone::Plain,
        MessageLevel::Warning => Tone::Warning,
        MessageLevel::Error => Tone::Bad,
    }
}

/// What became of a command, in words.
pub fn outcome_text(outcome: &Outcome, latency: Duration) -> (String, Tone) {
    let tone = match outcome {
        Outcome::Done => return (format!("ok {} ms", latency.as_millis()), Tone::Good),
        Outcome::Refused(_) | Outcome::Voided { .. } => Tone::Warning,
        Outcome::Failed { .. } | Outcome::TimedOut => Tone::Bad,
    };
    (outcome.to_string(), tone)
}

pub(super) const fn realtime_name(realtime: Realtime) -> Option<&'static str> {
    Some(match realtime {
        Realtime::Stop => "stop",
        Realtime::FeedHold => "feed hold  !",
        Realtime::StopProgram => "stop program",
        Realtime::SoftReset => "soft reset  Ctrl+X",
        Realtime::JogCancel => "jog cancel  0x85",
        Realtime::CycleStart => "resume  ~",
        Realtime::SafetyDoor => "safety door  0x84",
        Realtime::FeedOverride(_) => "feed override",
        Realtime::RapidOverride(_) => "rapid override",
        Realtime::SpindleOverride(_) => "spindle override",
        Realtime::SpindleStop => "spindle stop  0x9E",
        Realtime::FloodToggle => "flood  0xA0",
        Realtime::MistToggle => "mist  0xA1",
        Realtime::StatusQuery | Realtime::ReconnectNow => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::Time;
    use crate::model::command::ClientId;

    const ME: Origin = Origin::Screen(ClientId(1));

    fn take(console: &mut Console, what: LogItem) {
        console.take(&LogEvent::Entry(Arc::new(LogEntry { id: 0, at: Time::ZERO, what })));
    }

    fn sent(ticket: u64, text: &str) -> LogItem {
        LogItem::Sent { ticket: TicketId(ticket), origin: ME, text: text.into() }
    }

    fn ended(ticket: u64, outcome: Outcome) -> LogItem {
        let latency = Duration::from_millis(4);
        LogItem::Outcome { ticket: TicketId(ticket), origin: ME, what: "G0 X1".into(), outcome, latency }
    }

    #[test]
    fn details_are_left_to_the_page_of_the_log() {
        let mut console = Console::default();
        for level in [MessageLevel::Debug, MessageLevel::Info] {
            take(&mut console, LogItem::Note { level, text: format!("{level:?}") });
        }
        assert_eq!(console.text(), "-- Info\n");
    }

    #[test]
    fn an_answer_joins_its_line() {
        let mut console = Console::default();
        take(&mut console, sent(1, "G0 X1"));
        take(&mut console, sent(2, "G1 X2"));
        take(&mut console, ended(1, Outcome::Done));
        take(&mut console, ended(2, Outcome::Failed { code: 22, text: "no feed".into() }));
        let lines: Vec<_> = console.visible(9).map(|l| (l.text.as_str(), l.answer.as_str())).collect();
        assert_eq!(lines, [("G0 X1", "ok 4 ms"), ("G1 X2", "error 22: no feed")]);
    }

    #[test]
    fn a_refusal_is_seen_and_jogs_share_a_line() {
        let mut console = Console::default();
        take(&mut console, ended(7, Outcome::Refused(crate::model::command::Refused::because("busy"))));
        for ticket in 1..=3 {
            take(&mut console, sent(ticket, "$J=G91 G21 X1 F600"));
        }
        let lines: Vec<_> = console.visible(9).map(|l| format!("{} {}", l.text, l.answer)).collect();
        assert_eq!(lines, ["G0 X1 not sent: busy", "$J=G91 G21 X1 F600  (jog, 3 lines) "]);
    }

    #[test]
    fn each_view_has_its_lines_and_reports_are_noise() {
        let mut console = Console::default();
        take(&mut console, sent(1, "G0 X1"));
        take(&mut console, ended(1, Outcome::Done));
        take(&mut console, LogItem::Received { level: MessageLevel::Info, text: "[MSG:hello]".into() });
        for (out, text) in [(true, "?"), (false, "<Idle|MPos:0,0,0>"), (true, "G0 X1"), (false, "ok")] {
            take(&mut console, LogItem::Wire { out, text: text.into() });
        }
        let shown = |console: &Console| console.lines().map(|line| line.text.clone()).collect::<Vec<_>>().join(" ");
        assert_eq!(shown(&console), "G0 X1 [MSG:hello]");
        assert_eq!(console.text(), ">  G0 X1    ok 4 ms\n<  [MSG:hello]\n");
        console.show_next();
        assert_eq!((console.shown, shown(&console).as_str()), (Shown::Wire, "G0 X1 ok"));
        console.toggle_reports();
        assert_eq!(shown(&console), "? <Idle|MPos:0,0,0> G0 X1 ok");
        console.show_next();
        assert_eq!((console.shown, shown(&console).as_str()), (Shown::Messages, "[MSG:hello]"));
        console.show_next();
        assert_eq!((console.shown, shown(&console).as_str()), (Shown::Mine, "G0 X1"));
        console.show_next();
        assert_eq!(console.shown, Shown::All);
    }

    #[test]
    fn scroll_back_stays_where_you_look() {
        let mut console = Console::default();
        for n in 0..10 {
            console.say(format!("{n}"), Tone::Plain);
        }
        let text = |console: &Console| console.visible(3).map(|l| l.text.clone()).collect::<Vec<_>>().join(" ");
        console.scroll(-4);
        assert_eq!(text(&console), "3 4 5");
        console.say("new".into(), Tone::Plain);
        assert_eq!((text(&console).as_str(), console.below()), ("3 4 5", 5));
        console.scroll(-100);
        assert_eq!(text(&console), "0 1 2");
        console.scroll(100);
        assert_eq!((text(&console).as_str(), console.below()), ("8 9 new", 0));
    }
}
