//! Stops, resets, alarms, homing.

use super::*;

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
    assert!(wire.events.iter().any(|e| matches!(e, Event::Reset { cause: ResetCause::ByItself, .. })));
    assert_eq!(wire.homed(), Some(AxisSet::EMPTY));
    assert!(wire.submit("G90").is_err(), "it is identified again first");
    assert!(wire.sent().starts_with('\x18'), "the line may lie in its buffer");
    wire.rx("\nGrbl 4.0 [FluidNC v4.0.5 (esp32-wifi) '$' for help]");
    let sent = wire.answering(500, IDLE);
    assert!(sent.contains("$I"), "{sent}");
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

/// Ruling 1: `!` would latch a hold in Idle.
#[test]
fn a_stop_after_a_resume_with_nothing_to_go_on_with_sends_nothing() {
    for firmware in ALL {
        let mut wire = Wire::up(firmware);
        wire.rx(HOLD0);
        wire.key(Realtime::CycleStart);
        assert!(wire.answering(250, IDLE).contains('~'));
        wire.key(Realtime::Stop);
        assert!(!wire.answering(300, IDLE).contains('!'), "{firmware}");
        assert!(matches!(wire.stop_phases().last(), Some(StopPhase::NotNeeded(_))), "{firmware}");
    }
    // One that was asked for before says nothing of it.
    let mut wire = Wire::up(Firmware::Grbl);
    wire.rx(HOLD0);
    assert!(wire.pass(1200).contains('?'));
    wire.key(Realtime::CycleStart);
    assert!(wire.sent().contains('~'));
    wire.rx(IDLE);
    wire.key(Realtime::Stop);
    assert!(wire.sent().starts_with('!'));
    // Between the end of a tool change and the way back to the part grblHAL may stand idle.
    let mut wire = Wire::up(Firmware::GrblHal);
    wire.rx("<Tool|MPos:0,0,0>");
    wire.key(Realtime::CycleStart);
    wire.answering(250, IDLE);
    wire.key(Realtime::Stop);
    assert!(wire.sent().starts_with('!'));
}

/// `!` is ignored in Door, and the machine is about to move.
#[test]
fn a_stop_while_a_door_is_left_goes_back_to_the_door() {
    for firmware in ALL {
        for (key, sub) in [(Realtime::Stop, 3), (Realtime::FeedHold, 3), (Realtime::Stop, 4)] {
            let mut wire = Wire::up(firmware);
            wire.rx(&format!("<Door:{sub}|MPos:0,0,0>"));
            wire.key(key);
            assert!(wire.sent().starts_with("\\x84"), "{key:?} in Door:{sub} on {firmware}");
        }
    }
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
    assert!(wire.events.iter().any(|e| matches!(e, Event::Reset { cause: ResetCause::Asked, .. })));
}

/// §3.1: nobody can tell whether a line that was on its way came before the restart or after it.
#[test]
fn a_restart_with_lines_on_their_way_is_followed_by_a_reset_that_throws_them_away() {
    const BANNER: &str = "\nGrbl 1.1h ['$' for help]";
    for firmware in ALL {
        let mut wire = Wire::up(firmware);
        let ticket = wire.submit("G1 X10 F600").unwrap();
        wire.sent();
        wire.rx(BANNER);
        let outcome = wire.outcomes(ticket);
        assert!(
            matches!(outcome[..], [Outcome::Voided { why: VoidReason::ControllerReset, sent: true }]),
            "{firmware}: {outcome:?}"
        );
        let sent = wire.pass(1000);
        assert!(sent.starts_with('\x18') && !sent.contains('\n'), "{firmware}: {sent:?}");
        wire.rx(BANNER);
        let sent = wire.answering(1000, IDLE);
        assert!(!sent.contains('\x18') && sent.contains("$I\n"), "{firmware}: {sent:?}");
    }
}

#[test]
fn a_restart_of_a_machine_that_has_nothing_to_do_is_left_alone() {
    for firmware in ALL {
        let mut wire = Wire::up(firmware);
        wire.rx("\nGrbl 1.1h ['$' for help]");
        let sent = wire.answering(500, IDLE);
        assert!(!sent.contains('\x18') && sent.contains("$I\n"), "{firmware}: {sent:?}");
    }
}

/// A program stop on FluidNC over a line without an answer, up to the banner.
fn reset_over_a_line() -> Wire {
    let mut wire = Wire::up(Firmware::FluidNc);
    wire.submit("G0 X100").unwrap();
    wire.sent();
    wire.key(Realtime::StopProgram);
    assert!(wire.answering(300, HOLD0).contains('\x18'));
    wire.rx("\nGrbl 4.0 [FluidNC v4.0.5 (esp32-wifi) '$' for help]");
    wire
}

/// Recorded: FluidNC carries out the line that it has in its hands at a reset, after the reset.
#[test]
fn a_line_that_outlives_a_reset_is_held_and_reset_at_standstill() {
    // It is told by its answer, or by a report that shows motion where the answer was lost.
    for sign in ["ok", RUN] {
        let mut wire = reset_over_a_line();
        let sent = wire.answering(100, IDLE);
        assert!(!sent.contains('\n') && !sent.contains('!'), "nothing is asked before it is known: {sent:?}");
        wire.rx(sign);
        let sent = if sign == RUN { wire.answering(300, RUN) } else { wire.sent() };
        assert!(sent.contains('!') && !sent.contains('\n'), "{sign}: {sent:?}");
        assert!(!wire.answering(300, HOLD1).contains('\x18'), "still slowing");
        assert!(wire.answering(300, HOLD0).contains('\x18'));
        wire.rx("\nGrbl 4.0 [FluidNC v4.0.5 (esp32-wifi) '$' for help]");
        let sent = wire.answering(300, IDLE);
        assert!(sent.contains("$G\n") && !sent.contains(['!', '\x18']), "{sent:?}");
        assert_eq!(wire.stop_phases().last(), Some(&StopPhase::Stopped));
        assert!(!wire.events.contains(&Event::UnexpectedReply));
    }
}

#[test]
fn a_line_that_is_refused_after_a_reset_or_was_not_there_needs_nothing() {
    for answer in ["error:22", ""] {
        let mut wire = reset_over_a_line();
        wire.rx(answer);
        let sent = wire.answering(1000, IDLE);
        assert!(sent.contains("$G\n") && !sent.contains(['!', '\x18']), "{answer}: {sent:?}");
        assert_eq!(wire.stop_phases().last(), Some(&StopPhase::Stopped));
    }
}
