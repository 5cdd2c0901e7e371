//! Jogging: exact steps, the lease, the cancel recipe.

use super::*;

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

/// The last report still says Jog when the alarm comes, and Grbl sends no other until it is reset.
#[test]
fn a_hard_limit_ends_a_jog_without_a_cancel_and_without_a_reset() {
    for firmware in ALL {
        let mut wire = Wire::up(firmware);
        wire.step(10.0).unwrap();
        wire.sent();
        wire.rx("ok");
        wire.rx(JOG);
        wire.rx("ALARM:1");
        wire.sent();
        wire.key(Realtime::JogCancel);
        let sent = wire.pass(4000);
        assert!(!sent.contains("\\x85") && !sent.contains('\x18'), "{firmware}: {sent}");
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
