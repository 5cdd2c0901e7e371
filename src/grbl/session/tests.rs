//! The traps of the three firmwares, one test each (facts: grbl-protocol §0), on a scripted wire.

use super::*;
use crate::grbl::event::Event;
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
        for _ in 0..8 {
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

/// §0.1: nothing line-based is processed in Hold, and it would run in a burst after a resume.
#[test]
fn no_line_begins_in_hold_or_door() {
    for firmware in ALL {
        for state in [HOLD0, HOLD1, "<Door:0|MPos:0,0,0>", "<Sleep|MPos:0,0,0>"] {
            let mut wire = Wire::up(firmware);
            wire.rx(state);
            for line in ["G90", "$G", "$X", "$#"] {
                assert!(wire.submit(line).is_err(), "{firmware} {state} {line}");
            }
            assert!(wire.step(1.0).is_err());
            let sent = wire.answering(500, state);
            assert!(!sent.contains('\n'), "{firmware} {state}: {sent:?}");
        }
    }
}

#[test]
fn a_line_that_waits_is_kept_back_when_a_hold_comes() {
    let mut wire = Wire::up(Firmware::Grbl);
    for _ in 0..10 {
        wire.submit("G1 X10.123 Y20.456 F1000").unwrap();
    }
    let sent = wire.sent();
    assert_eq!(sent.matches('\n').count(), 5, "127 bytes of window");
    wire.rx(HOLD0);
    wire.rx("ok");
    assert_eq!(wire.sent().matches('\n').count(), 0, "room, but Hold");
    wire.rx(RUN);
    assert_eq!(wire.sent().matches('\n').count(), 1);
}

/// §0.2: a cancel that overtakes a queued `$J` is lost, so it is repeated after the last `ok`.
#[test]
fn a_cancel_is_repeated_until_a_report_after_the_last_ok() {
    for firmware in [Firmware::Grbl, Firmware::FluidNc] {
        let mut wire = Wire::up(firmware);
        wire.step(10.0).unwrap();
        assert!(wire.sent().contains("$J="));
        wire.key(Realtime::JogCancel);
        assert!(wire.sent().starts_with("\\x85"), "at once");
        wire.rx(IDLE); // a report from before the jog began: proves nothing
        assert!(wire.pass(100).contains("\\x85"), "repeated");
        wire.rx("ok"); // the jog line is parsed only now, and the jog starts
        assert!(wire.sent().contains("\\x85"), "once more after the last ok");
        let sent = wire.answering(100, JOG);
        assert!(sent.contains("\\x85"));
        let sent = wire.answering(400, IDLE);
        assert!(wire.session.situation(wire.now) == Situation::Idle, "{sent}");
        assert!(!wire.answering(500, IDLE).contains("\\x85"), "and then no more");
        assert_eq!(wire.stop_phases().last(), Some(&StopPhase::Stopped));
    }
}

/// §0.2: grblHAL throws unread lines away on 0x85 and never answers them.
#[test]
fn grblhal_jog_lines_are_counted_off_on_a_cancel() {
    let mut wire = Wire::up(Firmware::GrblHal);
    let ticket = wire.step(10.0).unwrap();
    wire.sent();
    wire.key(Realtime::JogCancel);
    for _ in 0..20 {
        let sent = wire.pass(20);
        for _ in sent.matches('?') {
            wire.rx(IDLE);
        }
    }
    assert_eq!(wire.outcomes(ticket), [Outcome::Voided { why: VoidReason::Flushed, sent: true }]);
    let ticket = wire.submit("G90").unwrap();
    wire.sent();
    wire.rx("ok");
    assert_eq!(wire.outcomes(ticket), [Outcome::Done], "the count is right again");
}

/// §2.2: 0x85 empties grblHAL's receive buffer in any state, so it leaves only while jogging.
#[test]
fn no_jog_cancel_leaves_outside_a_jog() {
    for firmware in ALL {
        for state in [IDLE, RUN, HOLD0, ALARM] {
            let mut wire = Wire::up(firmware);
            wire.rx(state);
            wire.key(Realtime::JogCancel);
            assert!(!wire.answering(300, state).contains("\\x85"), "{firmware} {state}");
        }
    }
}

/// §0.3: never a jog without an axis word.
#[test]
fn a_jog_without_distance_is_refused() {
    let mut wire = Wire::up(Firmware::FluidNc);
    assert!(wire.step(0.0).is_err());
    assert!(wire.step(0.0001).is_err());
    assert!(wire.step(f64::NAN).is_err());
    assert!(wire.renew(0.0).is_err());
    assert!(wire.submit("$J=G91 F600").is_err());
    assert_eq!(wire.sent(), "");
}

/// §0.4: `!` does not stop a jog on grblHAL, so no firmware is stopped that way.
#[test]
fn a_jog_is_stopped_by_the_cancel_recipe_everywhere() {
    for firmware in ALL {
        for key in [Realtime::Stop, Realtime::FeedHold, Realtime::StopProgram] {
            let mut wire = Wire::up(firmware);
            wire.rx(JOG);
            wire.key(key);
            let sent = wire.sent();
            assert!(sent.starts_with("\\x85") && !sent.contains('!'), "{firmware} {key:?} {sent}");
        }
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
    let first = wire.submit("G90").unwrap();
    wire.sent();
    wire.rx("ok\r\nok\r");
    assert_eq!(wire.outcomes(first), [Outcome::Done]);
    assert!(wire.events.contains(&Event::UnexpectedReply));
    let second = wire.submit("G91").unwrap();
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
    assert!(wire.events.iter().any(|e| matches!(e, Event::Reset { asked: true, .. })));
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

/// §0.14: FluidNC says `ok` after a homing cycle that failed.
#[test]
fn homing_is_judged_by_the_state_not_by_the_ok() {
    let mut wire = Wire::up(Firmware::FluidNc);
    let ticket = wire.submit("$H").unwrap();
    assert!(wire.sent().contains("$H\n"));
    wire.rx("<Home|MPos:0,0,0>");
    wire.rx("[MSG:INFO: ALARM: Homing Fail Approach]\nALARM:9\nok");
    wire.answering(200, ALARM);
    assert!(matches!(wire.outcomes(ticket)[..], [Outcome::Failed { code: 9, .. }]), "{:?}", wire.outcomes(ticket));
    assert!(wire.homed().is_none_or(AxisSet::is_empty));

    let mut wire = Wire::up(Firmware::FluidNc);
    let ticket = wire.submit("$H").unwrap();
    wire.sent();
    wire.rx("[MSG:Homed:Z]\n[MSG:Homed:XY]\nok");
    wire.answering(200, IDLE);
    assert_eq!(wire.outcomes(ticket), [Outcome::Done]);
    assert_eq!(wire.homed(), Some(AxisSet::first(3)));
}

#[test]
fn a_homing_cycle_is_stopped_by_a_reset() {
    for firmware in ALL {
        let mut wire = Wire::up(firmware);
        let ticket = wire.submit("$H").unwrap();
        wire.sent();
        wire.key(Realtime::Stop);
        assert!(wire.sent().starts_with('\x18'));
        assert_eq!(wire.outcomes(ticket), [Outcome::Voided { why: VoidReason::Reset, sent: true }]);
    }
}

/// Ruling 2: hold, stand, reset: position and the homed flag stay.
#[test]
fn stop_program_waits_for_standstill_before_the_reset() {
    for firmware in ALL {
        let mut wire = Wire::up(firmware);
        wire.submit("$H").unwrap();
        wire.answering(300, IDLE);
        assert_eq!(wire.homed(), Some(AxisSet::first(3)));
        wire.submit("G1 X100 F100").unwrap();
        wire.sent();
        wire.rx("ok");
        wire.key(Realtime::StopProgram);
        let sent = wire.sent();
        assert!(sent.starts_with('!') && !sent.contains('\x18'));
        assert!(!wire.answering(300, HOLD1).contains('\x18'), "still slowing");
        assert!(wire.answering(300, HOLD0).contains('\x18'));
        wire.rx("\nGrbl 1.1h ['$' for help]");
        wire.answering(300, IDLE);
        assert_eq!(wire.stop_phases().last(), Some(&StopPhase::Stopped));
        assert_eq!(wire.homed(), Some(AxisSet::first(3)), "{firmware}");
    }
}

#[test]
fn a_reset_in_motion_costs_the_homed_flag() {
    let mut wire = Wire::up(Firmware::Grbl);
    wire.submit("$H").unwrap();
    wire.answering(300, IDLE);
    wire.rx(RUN);
    wire.key(Realtime::SoftReset);
    assert_eq!(wire.homed(), Some(AxisSet::EMPTY));
}

#[test]
fn a_reset_voids_what_is_open_and_ignores_the_stale_ok() {
    let mut wire = Wire::up(Firmware::Grbl);
    let first = wire.submit("G1 X1 F100").unwrap();
    wire.sent();
    wire.key(Realtime::SoftReset);
    assert_eq!(wire.outcomes(first), [Outcome::Voided { why: VoidReason::Reset, sent: true }]);
    assert!(wire.submit("G90").is_err(), "not before the banner");
    wire.rx("ok"); // Grbl lets one out between the reset and the banner
    wire.rx("\nGrbl 1.1h ['$' for help]");
    assert!(!wire.events.contains(&Event::UnexpectedReply));
    assert_eq!(wire.outcomes(first).len(), 1);
}

#[test]
fn a_banner_nobody_asked_for_is_a_controller_reset() {
    let mut wire = Wire::up(Firmware::FluidNc);
    wire.submit("$H").unwrap();
    wire.answering(300, IDLE);
    let ticket = wire.submit("G4 P10").unwrap();
    wire.sent();
    wire.rx("\nGrbl 4.0 [FluidNC v4.0.5 (esp32-wifi) '$' for help]");
    assert_eq!(wire.outcomes(ticket), [Outcome::Voided { why: VoidReason::ControllerReset, sent: true }]);
    assert!(wire.events.iter().any(|e| matches!(e, Event::Reset { asked: false, .. })));
    assert_eq!(wire.homed(), Some(AxisSet::EMPTY));
    assert!(wire.submit("G90").is_err(), "it is identified again first");
    let sent = wire.answering(500, IDLE);
    assert!(sent.contains("$I"), "{sent}");
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
fn stop_in_run_is_a_hold_that_is_verified() {
    for firmware in ALL {
        let mut wire = Wire::up(firmware);
        wire.submit("G1 X100 F100").unwrap();
        wire.sent();
        wire.rx("ok");
        wire.key(Realtime::Stop);
        assert!(wire.sent().starts_with("!?"), "the question goes with it");
        wire.rx(RUN); // FluidNC still says Run for a moment
        let sent = wire.answering(150, HOLD1);
        assert_eq!(wire.stop_phases(), [StopPhase::Sent, StopPhase::Confirmed], "{firmware} {sent}");
        wire.answering(200, HOLD0);
        assert_eq!(wire.stop_phases().last(), Some(&StopPhase::Stopped));
        assert!(!wire.answering(2000, HOLD0).contains('!'));
    }
}

#[test]
fn a_hold_that_is_not_seen_is_said_and_sent_again() {
    let mut wire = Wire::up(Firmware::GrblHal);
    wire.rx(RUN);
    wire.key(Realtime::FeedHold);
    wire.sent();
    let sent = wire.answering(1200, RUN);
    assert!(wire.stop_phases().contains(&StopPhase::NotConfirmed));
    assert!(sent.contains('!'), "a proved report says it still runs");
    wire.answering(300, HOLD0);
    assert_eq!(wire.stop_phases().last(), Some(&StopPhase::Stopped));

    let mut wire = Wire::up(Firmware::FluidNc);
    wire.rx(RUN);
    wire.key(Realtime::FeedHold);
    wire.pass(600);
    assert_eq!(wire.stop_phases(), [StopPhase::Sent, StopPhase::NotConfirmed], "no answer at all");
}

#[test]
fn stop_in_idle_sends_nothing_and_voids_what_waits() {
    let mut wire = Wire::up(Firmware::Grbl);
    wire.key(Realtime::Stop);
    assert!(!wire.pass(300).contains('!'));
    assert!(matches!(&wire.stop_phases()[..], [StopPhase::NotNeeded(_)]));

    let mut wire = Wire::up(Firmware::Grbl);
    let tickets: Vec<_> = (0..8).map(|_| wire.submit("G1 X10.123 Y20.456 F1000").unwrap()).collect();
    wire.sent();
    wire.key(Realtime::Stop);
    assert!(wire.sent().starts_with('!'), "motion was sent a moment ago");
    assert_eq!(wire.outcomes(tickets[0]), [], "in the controller: answered when it answers");
    assert_eq!(wire.outcomes(tickets[7]), [Outcome::Voided { why: VoidReason::Stop, sent: false }]);
    assert!(!wire.sent().contains("G1"));
}

#[test]
fn a_stop_right_after_a_resume_is_not_mistaken_for_a_hold() {
    let mut wire = Wire::up(Firmware::FluidNc);
    wire.rx(HOLD0);
    wire.key(Realtime::CycleStart);
    assert!(wire.sent().contains('~'));
    wire.rx(HOLD0); // the firmware needs a while
    wire.rx(HOLD0);
    wire.key(Realtime::Stop);
    assert!(wire.sent().starts_with('!'));
}

#[test]
fn realtime_goes_first_even_in_the_middle_of_a_line() {
    let mut wire = Wire::up(Firmware::Grbl);
    wire.submit("G1 X10.123 Y20.456 F1000").unwrap();
    let mut out = [0; 10];
    assert_eq!(wire.session.poll_transmit(wire.now, &mut out, 10), 10);
    wire.key(Realtime::Stop);
    let rest = wire.sent();
    assert!(rest.starts_with("!?"), "{rest}");
    assert!(rest.ends_with("F1000\n"), "the line that has begun is finished: {rest}");
}

#[test]
fn eeprom_writers_go_alone() {
    let mut wire = Wire::up(Firmware::Grbl);
    wire.submit("G90").unwrap();
    wire.submit("G10 L20 P0 X0").unwrap();
    wire.submit("G91").unwrap();
    assert_eq!(wire.sent(), "G90\n");
    wire.rx("ok");
    assert_eq!(wire.sent(), "G10 L20 P0 X0\n");
    wire.rx("ok");
    assert_eq!(wire.sent().lines().next(), Some("G91"));
}

#[test]
fn a_lease_feeds_short_increments_one_at_a_time_and_ends_by_itself() {
    let mut wire = Wire::up(Firmware::FluidNc);
    let first = wire.renew(1.0).unwrap();
    let sent = wire.sent();
    assert!(sent.contains("$J=G91 G21 X0.6 F600\n"), "{sent}");
    assert_eq!(wire.pass(100).matches("$J").count(), 0, "one unacknowledged at most");
    wire.rx("ok");
    assert_eq!(wire.sent().matches("$J").count(), 1);
    let second = wire.renew(1.0).unwrap();
    assert_eq!(wire.outcomes(first), [Outcome::Done]);
    wire.rx("ok");
    let sent = wire.answering(600, JOG);
    assert!(sent.contains("\\x85"), "the lease ran out: {sent}");
    wire.answering(300, IDLE);
    assert_eq!(wire.outcomes(second), [Outcome::Done]);
    assert!(!wire.answering(500, IDLE).contains("$J"));
}

#[test]
fn never_more_than_180_ms_of_motion_is_queued() {
    let mut wire = Wire::up(Firmware::Grbl);
    let mut queued_ms = 0.0_f64;
    for _ in 0..100 {
        wire.renew(1.0).unwrap();
        let sent = wire.pass(10);
        queued_ms = (queued_ms - 10.0).max(0.0);
        for _ in sent.matches("$J") {
            queued_ms += 60.0;
            wire.rx("ok");
        }
        for _ in sent.matches('?') {
            wire.rx(JOG);
        }
        // The real machine needs longer than distance over feed, by its ramp: 50 ms at 200 mm/s² and 10 mm/s.
        assert!(queued_ms <= 180.0 + 1.0, "{queued_ms}");
    }
}

#[test]
fn a_refused_increment_ends_the_jog_and_says_why() {
    let mut wire = Wire::up(Firmware::Grbl);
    let ticket = wire.renew(1.0).unwrap();
    wire.sent();
    wire.rx("error:15");
    assert!(matches!(&wire.outcomes(ticket)[..], [Outcome::Failed { code: 15, .. }]));
    assert!(!wire.answering(300, IDLE).contains("$J"));
}

#[test]
fn turning_round_stops_first() {
    let mut wire = Wire::up(Firmware::FluidNc);
    wire.renew(1.0).unwrap();
    wire.answering(100, JOG);
    wire.renew(-1.0).unwrap();
    assert!(wire.sent().contains("\\x85"));
    for _ in 0..20 {
        wire.renew(-1.0).unwrap();
        let sent = wire.answering(20, IDLE);
        if sent.contains("X-0.6") {
            return;
        }
        assert!(!sent.contains("X0.6"));
    }
    panic!("the new direction never began");
}

#[test]
fn an_alarm_ends_jogs_and_voids_what_waits() {
    let mut wire = Wire::up(Firmware::GrblHal);
    wire.renew(1.0).unwrap();
    wire.answering(50, JOG);
    wire.rx("ALARM:1");
    wire.rx(ALARM);
    assert!(!wire.answering(500, ALARM).contains("$J"));
    assert!(wire.renew(1.0).is_err());
}

#[test]
fn lost_lines_are_reported_and_never_sent_again() {
    let mut wire = Wire::up(Firmware::Grbl);
    let ticket = wire.submit("G90").unwrap();
    wire.sent();
    let mut sent = String::new();
    for _ in 0..250 {
        let s = wire.pass(50);
        for _ in s.matches('?') {
            wire.rx(IDLE);
        }
        sent += &s;
    }
    assert_eq!(wire.outcomes(ticket), [Outcome::TimedOut]);
    assert!(!sent.contains("G90"));
}

#[test]
fn a_dwell_may_take_its_time() {
    let mut wire = Wire::up(Firmware::FluidNc);
    let ticket = wire.submit("G4 P60").unwrap();
    wire.sent();
    for _ in 0..600 {
        let s = wire.pass(100);
        for _ in s.matches('?') {
            wire.rx(IDLE); // FluidNC says Idle in a dwell
        }
    }
    assert_eq!(wire.outcomes(ticket), []);
}

#[test]
fn leaving_check_mode_is_answered_by_the_banner() {
    let mut wire = Wire::up(Firmware::FluidNc);
    wire.rx("<Check|MPos:0,0,0>");
    let ticket = wire.submit("$C").unwrap();
    wire.sent();
    wire.rx("\nGrbl 4.0 [FluidNC v4.0.5 (esp32-wifi) '$' for help]");
    assert_eq!(wire.outcomes(ticket), [Outcome::Done]);
    assert!(wire.events.iter().any(|e| matches!(e, Event::Reset { asked: true, .. })));
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
