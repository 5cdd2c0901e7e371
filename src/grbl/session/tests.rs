//! The traps of the three firmwares, one test each (facts: grbl-protocol §0), on a scripted wire.

mod jogs;
mod programs;
mod settings;
mod stops;

use super::*;
use crate::grbl::event::{Event, ResetCause};
use crate::grbl::line::Line;
use crate::grbl::tables::Tables;
use crate::model::axes::AxisSet;
use crate::model::command::{Outcome, Realtime, TicketId, VoidReason};
use crate::model::jog::JogVector;
use crate::model::latch::RealtimeSet;
use crate::model::machine::Firmware;
use crate::model::snapshot::{LinkState, StopPhase};
use crate::model::{AxisVec, Time};
use std::time::Duration;

/// A session on a wire that the test plays by hand.
struct Wire {
    session: Session,
    now: Time,
    events: Vec<Event>,
    next_ticket: u64,
    firmware: Firmware,
}

const IDLE: &str = "<Idle|MPos:0.000,0.000,0.000|FS:0,0|WCO:0.000,0.000,0.000>";
const JOG: &str = "<Jog|MPos:1.000,0.000,0.000|FS:600,0>";
const RUN: &str = "<Run|MPos:1.000,0.000,0.000|FS:600,0>";
const HOLD1: &str = "<Hold:1|MPos:1.000,0.000,0.000|FS:600,0>";
const HOLD0: &str = "<Hold:0|MPos:1.000,0.000,0.000|FS:0,0>";
const ALARM: &str = "<Alarm|MPos:1.000,0.000,0.000|FS:0,0>";

impl Wire {
    /// Opened, identified, all questions answered, idle.
    fn up(firmware: Firmware) -> Self {
        let session = Session::new(SessionConfig::default(), Tables::load());
        let mut wire = Self { session, now: Time::from_millis(1000), events: Vec::new(), next_ticket: 1, firmware };
        wire.session.handle_open(wire.now);
        assert_eq!(wire.sent(), "?");
        wire.rx(IDLE);
        assert_eq!(wire.sent(), "$I\n");
        match firmware {
            Firmware::Grbl => wire.rx("[VER:1.1h.20190830:]\n[OPT:V,15,128]\nok"),
            Firmware::FluidNc => {
                wire.rx("[VER:4.0 FluidNC v4.0.5 (esp32-wifi) :]\n[OPT:MPHS]\n[MSG:Machine: Mill]\nok");
            }
            Firmware::GrblHal => {
                wire.rx("[VER:1.1f.20260817:]\n[OPT:VNML+,100,1024,3,0]\n[AXS:3:XYZ]\n[FIRMWARE:grblHAL]\nok");
            }
        }
        for _ in 0..12 {
            let sent = wire.sent();
            if sent.contains("$$") {
                wire.rx("$20=1\n$22=1\n$110=3000\n$111=3000\n$112=1000\n$120=200\n$121=200\n$122=100\n$130=300\n$131=200\n$132=60\nok");
            } else if sent.contains('$') {
                wire.rx("ok");
            }
            if sent.contains('?') {
                wire.rx(IDLE);
            }
        }
        wire.settle();
        wire.events.clear();
        wire
    }

    fn drain(&mut self) {
        while let Some(event) = self.session.poll_event() {
            self.events.push(event);
        }
    }

    /// What the session sends now, printable.
    fn sent(&mut self) -> String {
        let mut out = [0_u8; 256];
        let n = self.session.poll_transmit(self.now, &mut out, 256);
        self.drain();
        out[..n].iter().map(|b| if b.is_ascii() { char::from(*b).to_string() } else { format!("\\x{b:02x}") }).collect()
    }

    fn rx(&mut self, text: &str) {
        self.session.handle_bytes(self.now, format!("{text}\n").as_bytes());
        self.drain();
    }

    /// Lets time pass, in steps of what is due, answering nothing. Returns all that was sent.
    fn pass(&mut self, ms: u64) -> String {
        let end = self.now + Duration::from_millis(ms);
        let mut sent = self.sent();
        while self.now < end {
            let due = self.session.poll_timeout().unwrap_or(end).max(self.now + Duration::from_micros(100)).min(end);
            self.now = due;
            self.session.handle_timeout(due);
            sent += &self.sent();
        }
        sent
    }

    /// Lets time pass with a controller that answers each `?` with `report` and each line with `ok`.
    fn answering(&mut self, ms: u64, report: &str) -> String {
        let end = self.now + Duration::from_millis(ms);
        let mut all = String::new();
        while self.now < end {
            let sent = self.pass(5);
            for _ in sent.matches('?') {
                self.rx(report);
            }
            for _ in sent.matches('\n') {
                self.rx("ok");
            }
            all += &sent;
        }
        all
    }

    fn settle(&mut self) {
        self.answering(1500, IDLE);
    }

    fn ticket(&mut self) -> TicketId {
        self.next_ticket += 1;
        TicketId(self.next_ticket)
    }

    fn submit(&mut self, text: &str) -> Result<TicketId, String> {
        let ticket = self.ticket();
        let line = Line::new(text, Some(self.firmware)).map_err(|e| e.to_string())?;
        self.session.submit(self.now, line, ticket).map_err(|e| e.to_string())?;
        self.drain();
        Ok(ticket)
    }

    fn key(&mut self, realtime: Realtime) {
        let mut set = RealtimeSet::default();
        set.insert(realtime);
        set.void_all = TicketId(if realtime == Realtime::JogCancel { 0 } else { self.next_ticket });
        set.void_jogs = TicketId(self.next_ticket);
        self.session.realtime(self.now, set);
        self.drain();
    }

    fn step(&mut self, x: f64) -> Result<TicketId, String> {
        let ticket = self.ticket();
        let order = JogOrder::Step { distance: AxisVec::from_slice(&[x, 0.0, 0.0]), feed_mm_min: 600.0 };
        self.session.jog(self.now, order, ticket).map_err(|e| e.to_string())?;
        self.drain();
        Ok(ticket)
    }

    fn renew(&mut self, x: f64) -> Result<TicketId, String> {
        let ticket = self.ticket();
        let vector = JogVector { direction: AxisVec::from_slice(&[x, 0.0, 0.0]), feed_mm_min: 600.0 };
        let order = JogOrder::Continue { vector, lease: Duration::from_millis(250) };
        self.session.jog(self.now, order, ticket).map_err(|e| e.to_string())?;
        self.drain();
        Ok(ticket)
    }

    fn outcomes(&self, ticket: TicketId) -> Vec<Outcome> {
        self.events
            .iter()
            .filter_map(|event| match event {
                Event::Outcome { ticket: t, outcome } if *t == ticket => Some(outcome.clone()),
                _ => None,
            })
            .collect()
    }

    fn stop_phases(&self) -> Vec<StopPhase> {
        self.events
            .iter()
            .filter_map(|event| match event {
                Event::Stop(stop) => Some(stop.phase.clone()),
                _ => None,
            })
            .collect()
    }

    fn homed(&self) -> Option<AxisSet> {
        self.events.iter().rev().find_map(|event| match event {
            Event::Homed(axes) => Some(*axes),
            _ => None,
        })
    }
}

const ALL: [Firmware; 3] = [Firmware::Grbl, Firmware::FluidNc, Firmware::GrblHal];

#[test]
fn opening_sends_nothing_but_a_question() {
    let mut session = Session::new(SessionConfig::default(), Tables::load());
    session.handle_open(Time::ZERO);
    let mut out = [0; 64];
    let n = session.poll_transmit(Time::ZERO, &mut out, 64);
    assert_eq!(&out[..n], b"?");
}

#[test]
fn a_machine_that_runs_is_not_asked_who_it_is() {
    let session = Session::new(SessionConfig::default(), Tables::load());
    let mut wire = Wire { session, now: Time::ZERO, events: Vec::new(), next_ticket: 0, firmware: Firmware::FluidNc };
    wire.session.handle_open(wire.now);
    let sent = wire.answering(2000, RUN);
    assert!(!sent.contains('$'), "{sent:?}");
    wire.key(Realtime::Stop);
    assert!(wire.sent().starts_with('!'), "but it can be stopped");
}

#[test]
fn silence_is_named_with_both_meanings() {
    let session = Session::new(SessionConfig::default(), Tables::load());
    let mut wire = Wire { session, now: Time::ZERO, events: Vec::new(), next_ticket: 0, firmware: Firmware::Grbl };
    wire.session.handle_open(wire.now);
    wire.pass(3000);
    let Some(Event::Link(LinkState::Silent { why })) = wire.events.last() else { panic!("{:?}", wire.events) };
    assert!(why.contains("hard limit") && why.contains("baud"));
}

#[test]
fn a_wrong_baud_rate_is_guessed_from_garbage() {
    let session = Session::new(SessionConfig::default(), Tables::load());
    let mut wire = Wire { session, now: Time::ZERO, events: Vec::new(), next_ticket: 0, firmware: Firmware::Grbl };
    wire.session.handle_open(wire.now);
    wire.session.handle_bytes(wire.now, &[0xF8, 0x80, 0x00, 0xFE, b'\n'].repeat(20));
    wire.pass(3000);
    assert!(matches!(wire.events.last(), Some(Event::Link(LinkState::Foreign { why })) if why.contains("baud")));
}

#[test]
fn something_else_on_the_port_is_quoted() {
    let session = Session::new(SessionConfig::default(), Tables::load());
    let mut wire = Wire { session, now: Time::ZERO, events: Vec::new(), next_ticket: 0, firmware: Firmware::Grbl };
    wire.session.handle_open(wire.now);
    wire.rx("login: ");
    wire.pass(3000);
    assert!(matches!(wire.events.last(), Some(Event::Link(LinkState::Foreign { why })) if why.contains("login:")));
}

#[test]
fn what_was_silent_and_then_speaks_as_no_grbl_does_is_quoted() {
    let session = Session::new(SessionConfig::default(), Tables::load());
    let mut wire = Wire { session, now: Time::ZERO, events: Vec::new(), next_ticket: 0, firmware: Firmware::Grbl };
    wire.session.handle_open(wire.now);
    wire.pass(3000);
    assert!(matches!(wire.events.last(), Some(Event::Link(LinkState::Silent { .. }))), "{:?}", wire.events);
    wire.session.handle_bytes(wire.now, b"login: ");
    wire.pass(3000);
    assert!(matches!(wire.events.last(), Some(Event::Link(LinkState::Foreign { why })) if why.contains("login:")));
}

/// A login prompt waits behind its colon, an echo sends back `?` without an end, a stuck line sends one byte for ever.
#[test]
fn what_never_ends_its_line_is_an_answer_too() {
    for (bytes, why_part) in
        [(&b"raspberrypi login: "[..], "raspberrypi login:"), (b"??", "\"??\""), (&[0xFF; 64], "baud")]
    {
        let session = Session::new(SessionConfig::default(), Tables::load());
        let mut wire = Wire { session, now: Time::ZERO, events: Vec::new(), next_ticket: 0, firmware: Firmware::Grbl };
        wire.session.handle_open(wire.now);
        wire.session.handle_bytes(wire.now, bytes);
        wire.pass(3000);
        let Some(Event::Link(LinkState::Foreign { why })) = wire.events.last() else { panic!("{:?}", wire.events) };
        assert!(why.contains(why_part), "{why}");
    }
}

/// §0.5: grblHAL refuses everything after an error until an empty line is accepted.
#[test]
fn the_sticky_error_of_grblhal_is_cleared_before_the_next_line() {
    let mut wire = Wire::up(Firmware::GrblHal);
    let bad = wire.submit("G1 X").unwrap();
    wire.sent();
    wire.rx("error:2");
    assert!(matches!(wire.outcomes(bad)[..], [Outcome::Failed { code: 2, .. }]));
    let good = wire.submit("G90").unwrap();
    assert_eq!(wire.sent().replace('?', ""), "\n");
    wire.rx("ok");
    assert_eq!(wire.sent(), "G90\n");
    wire.rx("ok");
    assert_eq!(wire.outcomes(good), [Outcome::Done]);
}

/// §0.6: doubled `ok`s belong to nobody and do not move the count.
#[test]
fn an_ok_too_many_is_counted_and_ignored() {
    let mut wire = Wire::up(Firmware::FluidNc);
    let first = wire.submit("F100").unwrap();
    wire.sent();
    wire.rx("ok\r\nok\r");
    assert_eq!(wire.outcomes(first), [Outcome::Done]);
    assert!(wire.events.contains(&Event::UnexpectedReply));
    let second = wire.submit("F200").unwrap();
    wire.sent();
    assert_eq!(wire.outcomes(second), []);
    wire.rx("error:20");
    assert_eq!(wire.outcomes(second).len(), 1);
}

/// §0.8: five `?` in a burst are one reply on Grbl, five on FluidNC; neither confuses.
#[test]
fn at_most_one_question_is_outstanding() {
    for firmware in ALL {
        let mut wire = Wire::up(firmware);
        wire.pass(1100);
        let sent = wire.pass(900);
        assert!(sent.matches('?').count() <= 1, "{firmware}: {sent}");
        for _ in 0..5 {
            wire.rx(IDLE);
        }
        assert!(!wire.events.contains(&Event::UnexpectedReply));
    }
}

/// §0.12: a Grbl in critical alarm answers nothing; that is the alarm, not a lost link.
#[test]
fn a_mute_grbl_after_a_hard_limit_is_not_called_lost() {
    let mut wire = Wire::up(Firmware::Grbl);
    wire.rx("ALARM:1");
    assert!(matches!(wire.events.last(), Some(Event::Alarm { needs_reset: true, info: Some(info) }) if info.code == 1));
    wire.pass(20_000);
    assert!(!wire.events.iter().any(|e| matches!(e, Event::Link(_))));
    assert!(wire.submit("$X").unwrap_err().contains("Ctrl+X"));
    wire.key(Realtime::SoftReset);
    assert_eq!(wire.sent().chars().next(), Some('\x18'));
    wire.rx("\nGrbl 1.1h ['$' for help]\n[MSG:'$H'|'$X' to unlock]");
    assert!(wire.events.iter().any(|e| matches!(e, Event::Reset { cause: ResetCause::Asked, .. })));
    wire.answering(300, ALARM);
    assert!(wire.submit("$X").is_ok());
}

/// §0.13, §0.15: FluidNC runs a waiting `$` line even after a reset, so none is sent into a motion.
#[test]
fn fluidnc_gets_no_dollar_line_while_it_moves() {
    let mut wire = Wire::up(Firmware::FluidNc);
    wire.rx(RUN);
    for line in ["$H", "$X", "$$", "$#", "$I", "$T"] {
        assert!(wire.submit(line).is_err(), "{line}");
    }
    assert!(wire.submit("$G").is_ok());
    let mut wire = Wire::up(Firmware::FluidNc);
    wire.submit("G1 X10 F100").unwrap();
    wire.sent();
    assert!(wire.submit("$H").is_err(), "sent a moment ago, in no report yet");
}

#[test]
fn auto_report_is_armed_on_fluidnc_and_again_after_a_reconnect() {
    let mut wire = Wire::up(Firmware::FluidNc);
    assert_eq!(wire.answering(3000, IDLE).matches('?').count(), 3, "idle: a question a second");
    wire.session.handle_closed(wire.now);
    wire.session.handle_open(wire.now);
    wire.sent();
    wire.rx(IDLE);
    wire.sent();
    wire.rx("[VER:4.0 FluidNC v4.0.5 (esp32-wifi) :]\nok");
    assert!(wire.answering(200, IDLE).contains("$RI="));
}

#[test]
fn a_lost_link_voids_every_ticket_once() {
    let mut wire = Wire::up(Firmware::Grbl);
    let tickets: Vec<_> = (0..8).map(|_| wire.submit("G1 X10.123 Y20.456 F1000").unwrap()).collect();
    wire.sent();
    wire.session.handle_closed(wire.now);
    wire.drain();
    for ticket in &tickets {
        assert!(matches!(wire.outcomes(*ticket)[..], [Outcome::Voided { why: VoidReason::LinkLost, .. }]));
    }
    assert!(wire.submit("G90").is_err());
}

#[test]
fn a_question_that_cannot_be_asked_now_does_not_make_the_owner_spin() {
    let session = Session::new(SessionConfig::default(), Tables::load());
    let mut wire = Wire { session, now: Time::ZERO, events: Vec::new(), next_ticket: 0, firmware: Firmware::Grbl };
    wire.session.handle_open(wire.now);
    wire.answering(500, RUN); // $I waits for the end of the motion
    for _ in 0..100 {
        wire.session.handle_timeout(wire.now);
        wire.sent();
        let due = wire.session.poll_timeout().unwrap();
        assert!(due > wire.now, "{due:?} at {:?}", wire.now);
        wire.now = due;
    }
}

#[test]
fn a_board_that_resets_when_its_port_is_opened_is_recognised() {
    let session = Session::new(SessionConfig::default(), Tables::load());
    let mut wire = Wire { session, now: Time::ZERO, events: Vec::new(), next_ticket: 0, firmware: Firmware::Grbl };
    wire.session.handle_open(wire.now);
    wire.rx("\nGrbl 1.1h ['$' for help]");
    assert!(wire.events.iter().any(|e| matches!(e, Event::Reset { cause: ResetCause::OnOpening, .. })));
}
