//! A recording played to a session: what would sunmill have made of this?
//!
//! The recording decides what leaves. Where it holds a line, one line of the session leaves: its own question, if it has
//! one to ask, else the recorded line, submitted as a person's. So answers are paired as they were, even where the
//! session would have asked something else; that is told. Realtime bytes that the session did not send by itself are
//! handed to it as keys.

use std::time::Duration;

use super::event::Event;
use super::line::Line;
use super::realtime;
use super::recording::{Record, What};
use super::session::{Session, SessionConfig};
use super::tables::Tables;
use crate::model::command::{OverrideStep, RapidStep, Realtime, TicketId};
use crate::model::latch::RealtimeSet;
use crate::model::time::Time;

/// Timers are served this long into a gap between two records. Beyond it nothing but polls would happen.
const LONGEST_GAP: Duration = Duration::from_secs(30);

/// What a replay tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// The session told this.
    Event(Event),
    /// About the replay itself: where a link begins and ends, where session and recording part.
    Note(String),
}

/// A session that is played to.
#[derive(Debug)]
pub struct Replay {
    config: SessionConfig,
    session: Session,
    is_open: bool,
    now: Time,
    /// What is added to the times of the recording, so that time never goes back where it holds several runs.
    offset: Duration,
    /// The recorded line so far.
    line: Vec<u8>,
    /// Realtime bytes that the session has sent by itself and that the recording has not shown yet.
    own_realtime: Vec<u8>,
    /// Tickets of empty lines: they belong to nobody.
    empty_lines: Vec<TicketId>,
    next_ticket: u64,
}

impl Replay {
    /// Begins before any link.
    pub fn new(config: SessionConfig) -> Self {
        Self {
            session: Session::new(config.clone(), Tables::load()),
            config,
            is_open: false,
            now: Time::ZERO,
            offset: Duration::ZERO,
            line: Vec::new(),
            own_realtime: Vec::new(),
            empty_lines: Vec::new(),
            next_ticket: 1,
        }
    }

    /// Plays the next record; `tell` is called with all that follows from it, in order.
    pub fn play(&mut self, record: &Record, tell: &mut impl FnMut(Time, Told)) {
        let mut at = Time::ZERO + record.at + self.offset;
        if at < self.now {
            if matches!(record.what, What::Opened(_)) {
                self.offset = self.now.since(Time::ZERO + record.at);
            }
            at = self.now;
        }
        self.wait_until(at, tell);
        match &record.what {
            What::Opened(words) => self.open(words, tell),
            What::Closed(words) => self.close(words, tell),
            What::Sent(bytes) => {
                self.ensure_open(tell);
                for byte in bytes {
                    self.sent(*byte, tell);
                }
            }
            What::Received(bytes) => {
                self.ensure_open(tell);
                self.session.handle_bytes(self.now, bytes);
            }
        }
        self.collect(tell);
    }

    /// Serves the timers that are due before `at`, then it is `at`.
    fn wait_until(&mut self, at: Time, tell: &mut impl FnMut(Time, Told)) {
        let served_until = at.min(self.now + LONGEST_GAP);
        while let Some(due) = self.session.poll_timeout().filter(|due| *due < served_until) {
            self.now = due.max(self.now);
            self.session.handle_timeout(self.now);
            self.collect(tell);
        }
        self.now = at;
    }

    fn open(&mut self, words: &str, tell: &mut impl FnMut(Time, Told)) {
        self.close("", tell);
        // A log may begin a run of its own in the middle of a file: nothing of the run before counts.
        self.session = Session::new(self.config.clone(), Tables::load());
        self.is_open = true;
        self.line.clear();
        self.own_realtime.clear();
        self.empty_lines.clear();
        tell(self.now, Told::Note(format!("opened {words}").trim_end().to_owned()));
        self.session.handle_open(self.now);
    }

    fn ensure_open(&mut self, tell: &mut impl FnMut(Time, Told)) {
        if !self.is_open {
            self.open("", tell);
            self.collect(tell);
        }
    }

    fn close(&mut self, words: &str, tell: &mut impl FnMut(Time, Told)) {
        if self.is_open {
            self.is_open = false;
            self.session.handle_closed(self.now);
            self.collect(tell);
            tell(self.now, Told::Note(format!("closed {words}").trim_end().to_owned()));
        }
    }

    /// The recording shows that this byte left.
    fn sent(&mut self, byte: u8, tell: &mut impl FnMut(Time, Told)) {
        match byte {
            b'\n' => {
                let line = std::mem::take(&mut self.line);
                self.sent_line(&line, tell);
            }
            b'?' | b'!' | b'~' | 0..=0x1F | 0x7F.. => self.sent_realtime(byte, tell),
            _ => self.line.push(byte),
        }
    }

    fn sent_realtime(&mut self, byte: u8, tell: &mut impl FnMut(Time, Told)) {
        if byte == realtime::STATUS {
            return;
        }
        if let Some(own) = self.own_realtime.iter().position(|own| *own == byte) {
            self.own_realtime.remove(own);
            return;
        }
        match action_of(byte) {
            Some(action) => {
                let mut set = RealtimeSet::default();
                set.insert(action);
                self.session.realtime(self.now, set);
                self.collect(tell);
                // What it sends for this has just been shown.
                if let Some(own) = self.own_realtime.iter().position(|own| *own == byte) {
                    self.own_realtime.remove(own);
                }
            }
            None => tell(self.now, Told::Note(format!("a byte with no meaning was sent: \\x{byte:02X}"))),
        }
    }

    fn sent_line(&mut self, line: &[u8], tell: &mut impl FnMut(Time, Told)) {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end_matches('\r');
        let mut left = self.let_one_line_leave();
        // Before the first line after an error of grblHAL the session sends an empty line by itself. The recording showed it
        // before anybody could know what for, so that it was submitted: then there is one too many here, and it is
        // answered here.
        if left.as_ref().is_some_and(String::is_empty) && !text.is_empty() {
            self.session.handle_bytes(self.now, b"ok\r\n");
            left = self.let_one_line_leave();
        }
        if left.is_none() {
            if !self.submit(text, tell) {
                return;
            }
            left = self.let_one_line_leave();
        }
        match left {
            Some(left) if left == text => {}
            Some(left) => tell(self.now, Told::Note(format!("the recording holds {text}, the session asked {left}"))),
            None => tell(self.now, Told::Note(format!("sent in the recording, kept back here: {text}"))),
        }
    }

    fn submit(&mut self, text: &str, tell: &mut impl FnMut(Time, Told)) -> bool {
        let ticket = TicketId(self.next_ticket);
        self.next_ticket += 1;
        if text.is_empty() {
            self.empty_lines.push(ticket);
        }
        let submitted = Line::new(text, None)
            .map_err(|error| error.to_string())
            .and_then(|line| self.session.submit(self.now, line, ticket).map_err(|refused| refused.to_string()));
        match submitted {
            Ok(()) => true,
            Err(why) => {
                tell(self.now, Told::Note(format!("sent in the recording, refused here: {text}: {why}")));
                false
            }
        }
    }

    /// The line that the session sends next, if it may send one.
    fn let_one_line_leave(&mut self) -> Option<String> {
        self.take_realtime();
        let mut line = Vec::new();
        let mut byte = [0];
        while self.session.poll_transmit(self.now, &mut byte, 1) == 1 {
            match byte[0] {
                b'\n' => return Some(String::from_utf8_lossy(&line).into_owned()),
                byte => line.push(byte),
            }
        }
        None
    }

    fn take_realtime(&mut self) {
        let mut bytes = [0; 64];
        loop {
            let n = self.session.poll_transmit(self.now, &mut bytes, 0);
            if n == 0 {
                return;
            }
            self.own_realtime.extend(bytes[..n].iter().filter(|byte| **byte != realtime::STATUS));
            // A cancel is repeated until it is seen to work; the recording need not hold as many.
            let surplus = self.own_realtime.len().saturating_sub(16);
            self.own_realtime.drain(..surplus);
        }
    }

    fn collect(&mut self, tell: &mut impl FnMut(Time, Told)) {
        self.take_realtime();
        while let Some(event) = self.session.poll_event() {
            let ticket = match &event {
                Event::Outcome { ticket, .. } | Event::Sent { ticket: Some(ticket), .. } => Some(ticket),
                _ => None,
            };
            if ticket.is_none_or(|ticket| !self.empty_lines.contains(ticket)) {
                tell(self.now, Told::Event(event));
            }
        }
    }
}

/// What a key must have asked for so that this byte left.
fn action_of(byte: u8) -> Option<Realtime> {
    use OverrideStep as Step;
    let steps = [Step::Reset, Step::CoarsePlus, Step::CoarseMinus, Step::FinePlus, Step::FineMinus];
    let plain = [
        Realtime::FeedHold,
        Realtime::SoftReset,
        Realtime::JogCancel,
        Realtime::CycleStart,
        Realtime::SafetyDoor,
        Realtime::RapidOverride(RapidStep::Full),
        Realtime::RapidOverride(RapidStep::Half),
        Realtime::RapidOverride(RapidStep::Quarter),
        Realtime::SpindleStop,
        Realtime::FloodToggle,
        Realtime::MistToggle,
    ];
    let overrides = steps.into_iter().flat_map(|step| [Realtime::FeedOverride(step), Realtime::SpindleOverride(step)]);
    plain.into_iter().chain(overrides).find(|action| realtime::byte(*action) == Some(byte))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::super::event::ResetCause;
    use super::super::recording::read;
    use super::*;
    use crate::model::StateKind;
    use crate::model::command::Outcome;

    fn play(text: &str) -> Vec<Told> {
        let mut replay = Replay::new(SessionConfig::default());
        let mut told = Vec::new();
        for record in read(text) {
            replay.play(&record.unwrap(), &mut |_, what| told.push(what));
        }
        told
    }

    fn events(told: &[Told]) -> impl Iterator<Item = &Event> {
        told.iter().filter_map(|told| if let Told::Event(event) = told { Some(event) } else { None })
    }

    const OPEN: &str = "0.0 > ?\n0.05 < <Idle|MPos:1.000,2.000,3.000|FS:0,0|WCO:0.000,0.000,0.000>\n0.1 > $I\\n\n\
                        0.12 < [VER:1.1h.20190830:]\n0.121 < [OPT:V,15,128]\n0.122 < ok\n";

    #[test]
    fn a_controller_is_known_and_its_reports_are_told() {
        let told = play(OPEN);
        assert!(events(&told).any(|event| matches!(event, Event::Identified(who) if who.version.contains("1.1h"))));
        assert!(
            events(&told).any(|event| matches!(event, Event::Status(report) if report.state.kind == StateKind::Idle))
        );
        assert!(!events(&told).any(|event| matches!(event, Event::UnexpectedReply)), "{told:?}");
    }

    #[test]
    fn answers_stay_paired_where_the_session_would_have_asked_something_else() {
        let told = play(&format!("{OPEN}0.2 > G0 X1\\n\n0.21 < ok\n"));
        assert!(
            told.iter().any(|told| matches!(told, Told::Note(note) if note.contains("the recording holds G0 X1"))),
            "{told:?}"
        );
        assert!(!events(&told).any(|event| matches!(event, Event::UnexpectedReply)), "{told:?}");
    }

    #[test]
    fn a_recorded_line_is_submitted_and_gets_its_outcome() {
        // The session's own questions first: $$, $G and $#, as its answers to the identity.
        let mut text = OPEN.to_owned();
        for (n, question) in ["$$", "$G", "$#"].iter().enumerate() {
            let _ = write!(text, "0.{}0 > {question}\\n\n0.{}1 < ok\n", n + 2, n + 2);
        }
        let told = play(&format!("{text}0.6 > G0 X1\\n\n0.61 < error:22\n"));
        let outcomes: Vec<_> = events(&told).filter(|event| matches!(event, Event::Outcome { .. })).collect();
        assert!(
            matches!(outcomes[..], [Event::Outcome { outcome: Outcome::Failed { code: 22, .. }, .. }]),
            "{outcomes:?} of {told:?}"
        );
    }

    #[test]
    fn a_recorded_reset_is_one_that_was_asked_for() {
        let told = play(&format!("{OPEN}1.0 > \\x18\n1.01 < \n1.02 < Grbl 1.1h ['$' for help]\n"));
        assert!(events(&told).any(|event| matches!(event, Event::Reset { cause: ResetCause::Asked, .. })), "{told:?}");
        let told = play(&format!("{OPEN}1.02 < Grbl 1.1h ['$' for help]\n"));
        assert!(
            events(&told).any(|event| matches!(event, Event::Reset { cause: ResetCause::ByItself, .. })),
            "{told:?}"
        );
    }

    #[test]
    fn several_runs_in_one_file_play_one_after_the_other() {
        let run = format!("# 5.0 opened /dev/ttyUSB0\n{}# 6.0 closed gone\n", OPEN.replace("\n0.", "\n5."));
        let text = format!("{run}{}", run.replace("5.", "2.").replace("6.0", "3.0"));
        let mut replay = Replay::new(SessionConfig::default());
        let mut times = Vec::new();
        let mut identified = 0;
        for record in read(&text) {
            replay.play(&record.unwrap(), &mut |at, told| {
                times.push(at);
                identified += usize::from(matches!(told, Told::Event(Event::Identified(_))));
            });
        }
        assert!(times.is_sorted());
        assert_eq!((identified, replay.is_open), (2, false));
    }

    #[test]
    fn a_night_without_a_record_costs_no_time() {
        let told = play(&format!("{OPEN}40000.0 < ok\n"));
        assert!(told.len() < 500, "{}", told.len());
    }
}
