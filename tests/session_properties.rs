//! The session's invariants (design §4) under random weather: any chunking, any garbage, any interleaving of lines, jogs
//! and realtime keys, against a small controller that behaves like the firmwares where it matters.

#![allow(clippy::unwrap_used, clippy::naive_bytecount)]

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use proptest::prelude::*;
use sunmill::grbl::event::{Event, ProgramEvent};
use sunmill::grbl::session::{JogOrder, ProgramItem, ProgramLine, SessionConfig};
use sunmill::grbl::tables::Tables;
use sunmill::grbl::{Line, Session};
use sunmill::model::command::{Realtime, TicketId, VoidReason};
use sunmill::model::jog::JogVector;
use sunmill::model::latch::RealtimeSet;
use sunmill::model::machine::{Firmware, StateKind};
use sunmill::model::{AxisVec, Time};

/// What a person or the world may do next.
#[derive(Clone, Debug)]
enum Act {
    Submit(usize),
    Step(i8),
    Continue(i8),
    Key(Realtime),
    /// Lets this many milliseconds pass.
    Pass(u16),
    /// The controller prints this without being asked.
    Noise(Vec<u8>),
    Alarm(u8),
    Banner,
    Unplug,
    /// A program is started.
    Program,
    PauseProgram,
}

const LINES: [&str; 8] = [
    "G1 X10 F600",
    "G0 X0 Y0",
    "G90",
    "G10 L20 P0 X0",
    "M3 S1000",
    "$G",
    "G4 P0.1",
    "G1 X10.123 Y20.456 Z-1.234 F1234.5",
];

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (0..LINES.len()).prop_map(Act::Submit),
        3 => (-3_i8..=3).prop_map(Act::Step),
        6 => prop_oneof![Just(1_i8), Just(-1)].prop_map(Act::Continue),
        6 => prop::sample::select(vec![
            Realtime::Stop, Realtime::FeedHold, Realtime::StopProgram, Realtime::SoftReset, Realtime::JogCancel,
            Realtime::CycleStart, Realtime::SafetyDoor, Realtime::StatusQuery,
        ]).prop_map(Act::Key),
        10 => (1_u16..400).prop_map(Act::Pass),
        1 => prop::collection::vec(any::<u8>(), 0..60).prop_map(Act::Noise),
        1 => (1_u8..18).prop_map(Act::Alarm),
        1 => Just(Act::Banner),
        1 => Just(Act::Unplug),
        4 => Just(Act::Program),
        1 => Just(Act::PauseProgram),
    ]
}

/// A controller in a few lines: receive buffer, one move at a time, the states that matter.
struct Controller {
    firmware: Firmware,
    rx: Vec<u8>,
    /// Unanswered line bytes, for the window.
    unanswered: VecDeque<usize>,
    current: usize,
    state: StateKind,
    hold_stopped: bool,
    busy_until: Time,
    questions: usize,
    /// State that the session has been told last; `None` after a cycle start, when it cannot know.
    told: Option<StateKind>,
    out: Vec<u8>,
    resets: usize,
    /// It is starting: what comes lies in its receive buffer until then.
    reads_from: Time,
    /// Lines that were executed.
    executed: usize,
}

impl Controller {
    fn new(firmware: Firmware) -> Self {
        Self {
            firmware,
            rx: Vec::new(),
            unanswered: VecDeque::new(),
            current: 0,
            state: StateKind::Idle,
            hold_stopped: true,
            busy_until: Time::ZERO,
            questions: 0,
            told: None,
            out: Vec::new(),
            resets: 0,
            reads_from: Time::ZERO,
            executed: 0,
        }
    }

    /// It has restarted by itself, greets, and takes a while to read what comes.
    fn restarted(firmware: Firmware, now: Time, busy: Duration) -> Self {
        let out = b"\r\nGrbl 1.1h ['$' for help]\r\n".to_vec();
        Self { out, reads_from: now + busy, ..Self::new(firmware) }
    }

    /// One byte arrives. Returns an error text when the session did what it must never do.
    fn byte(&mut self, now: Time, byte: u8) -> Result<(), String> {
        match byte {
            b'?' => self.questions += 1,
            b'!' => {
                if matches!(self.state, StateKind::Run | StateKind::Idle) {
                    self.state = StateKind::Hold;
                    self.hold_stopped = false;
                } else if self.state == StateKind::Jog && self.firmware != Firmware::GrblHal {
                    self.state = StateKind::Idle;
                }
            }
            b'~' => {
                self.told = None;
                if matches!(self.state, StateKind::Hold | StateKind::Door) {
                    self.state = if now < self.busy_until { StateKind::Run } else { StateKind::Idle };
                }
            }
            0x18 => {
                self.resets += 1;
                self.rx.clear();
                self.unanswered.clear();
                self.current = 0;
                self.busy_until = now;
                self.state = StateKind::Idle;
                self.told = None;
                self.out.extend_from_slice(b"\r\nGrbl 1.1h ['$' for help]\r\n");
            }
            0x84 => {
                self.state = StateKind::Door;
                self.hold_stopped = true;
            }
            0x85 => {
                if self.firmware == Firmware::GrblHal {
                    let dropped = self.rx.iter().filter(|b| **b == b'\n').count();
                    for _ in 0..dropped {
                        self.unanswered.pop_back();
                    }
                    self.rx.clear();
                }
                if self.state == StateKind::Jog {
                    self.state = StateKind::Idle;
                    self.busy_until = now;
                }
            }
            0x90..=0xA1 => {}
            b'\n' | 0x20..=0x7E => {
                if self.current == 0
                    && let Some(state @ (StateKind::Hold | StateKind::Door | StateKind::Sleep)) = self.told
                {
                    return Err(format!("a line was begun in {state:?}"));
                }
                self.rx.push(byte);
                self.current += 1;
                let open: usize = self.unanswered.iter().sum::<usize>() + self.current;
                if open > 128 {
                    return Err(format!("{open} bytes unanswered"));
                }
                if byte == b'\n' {
                    self.unanswered.push_back(std::mem::take(&mut self.current));
                }
            }
            other => return Err(format!("byte {other:#04x} was sent")),
        }
        Ok(())
    }

    /// Works for a while and answers.
    fn work(&mut self, now: Time) {
        if self.state == StateKind::Hold {
            self.hold_stopped = true;
        }
        if matches!(self.state, StateKind::Run | StateKind::Jog) && now >= self.busy_until {
            self.state = StateKind::Idle;
        }
        while now >= self.reads_from
            && matches!(self.state, StateKind::Idle | StateKind::Run | StateKind::Jog | StateKind::Alarm)
            && let Some(end) = self.rx.iter().position(|b| *b == b'\n')
        {
            let line: Vec<u8> = self.rx.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line).trim().to_owned();
            self.unanswered.pop_front();
            self.execute(now, &line);
        }
        let replies = if self.firmware == Firmware::FluidNc { self.questions } else { self.questions.min(1) };
        self.questions = 0;
        for _ in 0..replies {
            let sub = match (self.state, self.hold_stopped) {
                (StateKind::Hold | StateKind::Door, true) => ":0",
                (StateKind::Hold, false) => ":1",
                _ => "",
            };
            self.out.extend_from_slice(format!("<{:?}{sub}|MPos:0.000,0.000,0.000|FS:0,0>\r\n", self.state).as_bytes());
        }
    }

    fn execute(&mut self, now: Time, line: &str) {
        self.executed += usize::from(!line.starts_with('$'));
        let answer = if line.starts_with("$J=") {
            if matches!(self.state, StateKind::Idle | StateKind::Jog) {
                self.state = StateKind::Jog;
                self.busy_until = self.busy_until.max(now) + Duration::from_millis(60);
                "ok"
            } else {
                "error:8"
            }
        } else if line == "$I" {
            match self.firmware {
                Firmware::Grbl => "[VER:1.1h.20190830:]\r\n[OPT:V,15,128]\r\nok",
                Firmware::FluidNc => "[VER:4.0 FluidNC v4.0.5 (esp32-wifi) :]\r\n[OPT:MPHS]\r\nok",
                Firmware::GrblHal => {
                    "[VER:1.1f.20260817:]\r\n[OPT:VNML+,100,1024,3,0]\r\n[AXS:3:XYZ]\r\n[FIRMWARE:grblHAL]\r\nok"
                }
            }
        } else if line == "$X" {
            self.state = StateKind::Idle;
            "ok"
        } else if line.starts_with('$') {
            "ok"
        } else if matches!(self.state, StateKind::Alarm | StateKind::Jog) {
            "error:9"
        } else {
            if line.contains('X') && !line.starts_with("G10") {
                self.state = StateKind::Run;
                self.busy_until = self.busy_until.max(now) + Duration::from_millis(150);
            }
            "ok"
        };
        self.out.extend_from_slice(answer.as_bytes());
        self.out.extend_from_slice(b"\r\n");
    }
}

/// The two ends and the books.
struct World {
    session: Session,
    controller: Controller,
    now: Time,
    accepted: BTreeMap<TicketId, usize>,
    next: u64,
    cuts: Vec<usize>,
    cut: usize,
    /// The next line of the program under way, and the last one of it that was accepted.
    program: (u64, u64),
}

impl World {
    fn new(firmware: Firmware, cuts: Vec<usize>) -> Self {
        let session = Session::new(SessionConfig::default(), Tables::load());
        Self {
            session,
            controller: Controller::new(firmware),
            now: Time::ZERO,
            accepted: BTreeMap::new(),
            next: 0,
            cuts,
            cut: 0,
            program: (0, 0),
        }
    }

    fn transmit(&mut self) -> Result<(), TestCaseError> {
        loop {
            self.feed();
            let mut out = [0; 48];
            self.cut = (self.cut + 1) % self.cuts.len();
            let n = self.session.poll_transmit(self.now, &mut out, self.cuts[self.cut]);
            self.book()?;
            if n == 0 {
                return Ok(());
            }
            for byte in &out[..n] {
                self.controller.byte(self.now, *byte).map_err(TestCaseError::fail)?;
            }
        }
    }

    fn receive(&mut self) -> Result<(), TestCaseError> {
        self.controller.work(self.now);
        let out = std::mem::take(&mut self.controller.out);
        let mut rest = out.as_slice();
        while !rest.is_empty() {
            self.cut = (self.cut + 1) % self.cuts.len();
            let n = self.cuts[self.cut].min(rest.len());
            self.session.handle_bytes(self.now, &rest[..n]);
            self.book()?;
            rest = &rest[n..];
        }
        Ok(())
    }

    fn book(&mut self) -> Result<(), TestCaseError> {
        while let Some(event) = self.session.poll_event() {
            match event {
                Event::Outcome { ticket, .. } => match self.accepted.get_mut(&ticket) {
                    Some(count) => *count += 1,
                    None => {
                        return Err(TestCaseError::fail(format!(
                            "an outcome for a ticket that was never taken: {ticket:?}"
                        )));
                    }
                },
                Event::Status(report) => self.controller.told = Some(report.state.kind),
                Event::Program(ProgramEvent::Progress { sent_line, acked_line, .. }) => {
                    prop_assert!(
                        acked_line <= sent_line && sent_line <= self.program.0,
                        "told what was never handed over"
                    );
                    prop_assert!(acked_line >= self.program.1, "went back");
                    self.program.1 = acked_line;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn pass(&mut self, ms: u64) -> Result<(), TestCaseError> {
        let end = self.now + Duration::from_millis(ms);
        while self.now < end {
            self.transmit()?;
            self.now = (self.now + Duration::from_millis(7)).min(end);
            self.receive()?;
            self.session.handle_timeout(self.now);
            self.book()?;
        }
        self.transmit()
    }

    /// Lines of the program as far as the session wants them. Nothing of it may be wanted once it has ended.
    fn feed(&mut self) {
        while self.session.stream_wants() {
            self.program.0 += 1;
            let number = self.program.0;
            let text = format!("G1X{}.123Y20.456", number % 100);
            let line = Line::new(&text, Some(self.controller.firmware)).unwrap();
            let item = match number % 40 {
                0 => ProgramItem::End,
                20 => ProgramItem::Wait { number },
                _ => ProgramItem::Line(ProgramLine { number, line, asks: number.is_multiple_of(15) }),
            };
            self.session.stream_push(self.now, item);
        }
    }

    fn ticket(&mut self) -> TicketId {
        self.next += 1;
        TicketId(self.next)
    }

    fn act(&mut self, act: &Act) -> Result<(), TestCaseError> {
        match act {
            Act::Submit(at) => {
                let ticket = self.ticket();
                let line = Line::new(LINES[*at], Some(self.controller.firmware)).unwrap();
                if self.session.submit(self.now, line, ticket).is_ok() {
                    self.accepted.insert(ticket, 0);
                }
            }
            Act::Step(x) => {
                let order =
                    JogOrder::Step { distance: AxisVec::from_slice(&[f64::from(*x), 0.0, 0.0]), feed_mm_min: 600.0 };
                self.jog(order);
            }
            Act::Continue(x) => {
                let vector =
                    JogVector { direction: AxisVec::from_slice(&[f64::from(*x), 0.0, 0.0]), feed_mm_min: 600.0 };
                self.jog(JogOrder::Continue { vector, lease: Duration::from_millis(250) });
            }
            Act::Key(key) => {
                let mut set = RealtimeSet::default();
                set.insert(*key);
                if matches!(key, Realtime::Stop | Realtime::FeedHold | Realtime::StopProgram | Realtime::SoftReset) {
                    set.void_all = TicketId(self.next);
                }
                if *key == Realtime::JogCancel {
                    set.void_jogs = TicketId(self.next);
                }
                self.session.realtime(self.now, set);
                if *key == Realtime::SoftReset {
                    let mut first = [0];
                    prop_assert_eq!(self.session.poll_transmit(self.now, &mut first, 0), 1);
                    prop_assert_eq!(first[0], 0x18, "a reset leaves first");
                    self.controller.byte(self.now, 0x18).map_err(TestCaseError::fail)?;
                }
            }
            Act::Pass(ms) => self.pass(u64::from(*ms))?,
            Act::Noise(bytes) => self.controller.out.extend_from_slice(bytes),
            Act::Alarm(code) => {
                self.controller.state = StateKind::Alarm;
                // What is thrown away is not in its buffer any more, and never answered.
                self.controller.rx.clear();
                self.controller.unanswered.clear();
                self.controller.out.extend_from_slice(format!("\r\nALARM:{code}\r\n").as_bytes());
            }
            Act::Banner => {
                // A controller that restarts has forgotten what was in its buffer.
                self.controller = Controller::restarted(self.controller.firmware, self.now, Duration::from_millis(300));
            }
            Act::Program => {
                if self.session.stream_begin(self.now).is_ok() {
                    self.program = (0, 0);
                }
            }
            Act::PauseProgram => {
                let _ = self.session.stream_pause(self.now);
            }
            Act::Unplug => {
                self.session.handle_closed(self.now);
                self.book()?;
                let mut out = [0; 16];
                prop_assert_eq!(self.session.poll_transmit(self.now, &mut out, 16), 0, "nothing leaves a closed link");
                self.controller = Controller::new(self.controller.firmware);
                self.session.handle_open(self.now);
            }
        }
        self.book()?;
        self.transmit()
    }

    fn jog(&mut self, order: JogOrder) {
        let ticket = self.ticket();
        if self.session.jog(self.now, order, ticket).is_ok() {
            self.accepted.insert(ticket, 0);
        }
    }
}

fn firmware() -> impl Strategy<Value = Firmware> {
    prop::sample::select(vec![Firmware::Grbl, Firmware::FluidNc, Firmware::GrblHal])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    /// Window, safe bytes, no line in Hold, reset first, every ticket answered exactly once.
    #[test]
    fn invariants_hold_in_any_weather(
        firmware in firmware(),
        acts in prop::collection::vec(act(), 1..60),
        cuts in prop::collection::vec(1_usize..40, 1..6),
    ) {
        let mut world = World::new(firmware, cuts);
        world.session.handle_open(world.now);
        world.pass(1000)?;
        for act in &acts {
            world.act(act)?;
        }
        world.pass(300)?;
        world.session.void_all(world.now, VoidReason::Shutdown);
        world.book()?;
        for (ticket, count) in &world.accepted {
            prop_assert_eq!(*count, 1, "outcomes of {:?}", ticket);
        }
    }

    /// The controller restarts, and lines are sent before its banner is heard. They lie in its buffer: never more of them than
    /// the window, whatever the session sends then (the controller counts), and none of them is carried out.
    #[test]
    fn nothing_that_was_sent_into_a_restart_runs(
        firmware in firmware(),
        before in prop::collection::vec(prop_oneof![
            (0..LINES.len()).prop_map(Act::Submit),
            (1_u16..400).prop_map(Act::Pass),
            Just(Act::Program),
        ], 0..6),
        into in prop::collection::vec(prop_oneof![
            3 => (0..LINES.len()).prop_map(Act::Submit),
            1 => (-3_i8..=3).prop_map(Act::Step),
            2 => Just(Act::Program),
        ], 0..12),
        busy in 20_u64..2000,
        cuts in prop::collection::vec(1_usize..40, 1..6),
    ) {
        let mut world = World::new(firmware, cuts);
        world.session.handle_open(world.now);
        world.pass(1000)?;
        for act in &before {
            world.act(act)?;
        }
        world.controller = Controller::restarted(firmware, world.now, Duration::from_millis(busy));
        for act in &into {
            world.act(act)?;
        }
        world.pass(6000)?;
        prop_assert_eq!(world.controller.executed, 0);
        prop_assert_ne!(world.controller.state, StateKind::Run);
        prop_assert!(world.controller.resets <= 1, "once is enough");
        // And it is at hand again.
        let ticket = world.ticket();
        let line = Line::new("G1 X10 F600", Some(firmware)).unwrap();
        prop_assert!(world.session.submit(world.now, line, ticket).is_ok());
    }

    /// Whatever a person did, a stop ends it: soon nothing moves, and nothing starts again.
    #[test]
    fn a_stop_ends_every_motion(
        firmware in firmware(),
        acts in prop::collection::vec(prop_oneof![
            3 => (0..LINES.len()).prop_map(Act::Submit),
            2 => (-3_i8..=3).prop_map(Act::Step),
            4 => prop_oneof![Just(1_i8), Just(-1)].prop_map(Act::Continue),
            4 => (1_u16..120).prop_map(Act::Pass),
            1 => Just(Act::Key(Realtime::CycleStart)),
            2 => Just(Act::Program),
        ], 1..30),
    ) {
        let mut world = World::new(firmware, vec![16]);
        world.session.handle_open(world.now);
        world.pass(1000)?;
        for act in &acts {
            world.act(act)?;
        }
        world.act(&Act::Key(Realtime::Stop))?;
        world.pass(1500)?;
        prop_assert!(!matches!(world.controller.state, StateKind::Run | StateKind::Jog), "{:?}", world.controller.state);
        let resets = world.controller.resets;
        world.pass(3000)?;
        prop_assert!(!matches!(world.controller.state, StateKind::Run | StateKind::Jog));
        prop_assert_eq!(world.controller.resets, resets, "and no reset was needed");
    }

    /// The same bytes in any chunks are the same events.
    #[test]
    fn chunking_does_not_matter(
        bytes in prop::collection::vec(prop_oneof![
            Just(b"ok\r\n".to_vec()), Just(b"error:9\n".to_vec()), Just(b"ALARM:1\n".to_vec()),
            Just(b"<Idle|MPos:1.000,2.000,3.000|FS:0,0|WCO:0.000,0.000,0.000>\r\n".to_vec()),
            Just(b"<Run|MPos:1.000,2.000,3.000|Bf:15,128|FS:0,0|Pn:XZ>\n".to_vec()),
            Just(b"[MSG:INFO: hello]\n".to_vec()), Just(b"Grbl 1.1h ['$' for help]\r\n".to_vec()),
            prop::collection::vec(any::<u8>(), 0..40),
        ], 0..30).prop_map(|parts| parts.concat()),
        cuts in prop::collection::vec(1_usize..50, 1..8),
    ) {
        let run = |cuts: &[usize]| {
            let mut session = Session::new(SessionConfig::default(), Tables::load());
            session.handle_open(Time::ZERO);
            let mut rest = bytes.as_slice();
            let mut at = 0;
            while !rest.is_empty() {
                let n = cuts[at % cuts.len()].min(rest.len());
                at += 1;
                session.handle_bytes(Time::from_millis(5), &rest[..n]);
                rest = &rest[n..];
            }
            std::iter::from_fn(move || session.poll_event()).collect::<Vec<_>>()
        };
        prop_assert_eq!(run(&cuts), run(&[bytes.len().max(1)]));
    }
}
