//! Lines of a program beside everything else.

use super::*;
use crate::grbl::event::{ProgramEvent, Rest, StreamEnd};

impl Wire {
    fn begin(&mut self) {
        self.session.stream_begin(self.now).unwrap();
        self.drain();
    }

    /// Hands over lines as the driver does: as many as are wanted. Returns how many were taken.
    fn feed(&mut self, lines: &[(u64, &str)]) -> usize {
        let mut taken = 0;
        for (number, text) in lines {
            if !self.session.stream_wants() {
                break;
            }
            let line = Line::new(text, Some(self.firmware)).unwrap();
            let asks = text.starts_with("M0") || text.starts_with("M6");
            self.session.stream_push(self.now, ProgramItem::Line(ProgramLine { number: *number, line, asks }));
            taken += 1;
        }
        self.drain();
        taken
    }

    fn item(&mut self, item: ProgramItem) {
        self.session.stream_push(self.now, item);
        self.drain();
    }

    /// What was told of the program since the last call, progress left out.
    fn told(&mut self) -> Vec<ProgramEvent> {
        self.drain();
        let told = self.events.iter().filter_map(|event| match event {
            Event::Program(ProgramEvent::Progress { .. }) | Event::Status(_) => None,
            Event::Program(event) => Some(event.clone()),
            _ => None,
        });
        let told = told.collect();
        self.events.retain(|event| !matches!(event, Event::Program(e) if !matches!(e, ProgramEvent::Progress { .. })));
        told
    }

    fn progress(&self) -> Option<(u64, u64)> {
        self.events.iter().rev().find_map(|event| match event {
            Event::Program(ProgramEvent::Progress { sent_line, acked_line, .. }) => Some((*sent_line, *acked_line)),
            _ => None,
        })
    }
}

const MOVES: [(u64, &str); 8] = [
    (1, "G1X10.123Y20.456F1000"),
    (2, "G1X11.123Y21.456"),
    (3, "G1X12.123Y22.456"),
    (4, "G1X13.123Y23.456"),
    (5, "G1X14.123Y24.456"),
    (6, "G1X15.123Y25.456"),
    (7, "G1X16.123Y26.456"),
    (8, "G1X17.123Y27.456"),
];

#[test]
fn lines_go_as_the_window_has_room_and_the_end_is_the_machine_at_rest() {
    for firmware in ALL {
        let mut wire = Wire::up(firmware);
        wire.begin();
        assert_eq!(wire.feed(&MOVES), 8);
        assert!(!wire.session.stream_wants(), "{firmware}: enough is staged");
        let sent = wire.sent();
        assert_eq!(sent.matches('\n').count(), 7, "{firmware}: {sent}");
        wire.rx("ok\nok");
        assert!(wire.sent().ends_with("G1X17.123Y27.456\n"));
        wire.item(ProgramItem::End);
        wire.rx(RUN);
        for _ in 0..6 {
            wire.rx("ok");
        }
        wire.answering(300, RUN);
        assert_eq!(wire.told(), [], "{firmware}: all accepted is not all carried out");
        assert_eq!(wire.progress(), Some((8, 8)));
        let asked = wire.answering(600, IDLE);
        assert_eq!(wire.told(), [ProgramEvent::AtRest(Rest::Finished)], "{firmware}");
        assert!(!wire.session.is_streaming());
        assert!(asked.contains("$G"), "{firmware}: what it changed is asked: {asked}");
    }
}

#[test]
fn an_idle_from_before_the_last_ok_is_not_the_end() {
    let mut wire = Wire::up(Firmware::Grbl);
    wire.begin();
    wire.feed(&[(1, "G1X1F100")]);
    wire.item(ProgramItem::End);
    wire.sent();
    wire.rx("ok");
    wire.rx(IDLE);
    assert_eq!(wire.told(), [], "it was asked for before the ok");
    wire.answering(200, IDLE);
    assert_eq!(wire.told(), [ProgramEvent::AtRest(Rest::Finished)]);
}

#[test]
fn nobody_else_sends_a_line_meanwhile_and_no_question_is_asked() {
    let mut wire = Wire::up(Firmware::FluidNc);
    wire.begin();
    assert!(wire.submit("G0 X1").unwrap_err().contains("program"));
    assert!(wire.step(1.0).is_err());
    assert!(wire.session.stream_begin(wire.now).is_err(), "one at a time");
    wire.feed(&[(1, "G10L2P1X0")]);
    let sent = wire.answering(400, IDLE);
    assert!(!sent.contains('$'), "{sent}");
}

/// Ruling 4: the lines that the controller has would run on, so it is held; what has not left stays here.
#[test]
fn a_refused_line_holds_the_machine_and_ends_the_lane() {
    for firmware in ALL {
        let mut wire = Wire::up(firmware);
        wire.begin();
        wire.feed(&MOVES);
        wire.sent();
        wire.rx("ok\nerror:33");
        let sent = wire.sent();
        assert!(sent.starts_with('!') && !sent.contains('G'), "{firmware}: {sent:?}");
        let told = wire.told();
        let refused = told.iter().find_map(|event| match event {
            ProgramEvent::Refused { number, code, text, .. } => Some((*number, *code, text.clone())),
            _ => None,
        });
        assert_eq!(refused, Some((2, 33, "G1X11.123Y21.456".to_owned())), "{firmware}");
        assert_eq!(wire.feed(&MOVES), 0, "{firmware}: no more is wanted");
        wire.rx(HOLD0);
        wire.key(Realtime::CycleStart);
        assert!(!wire.answering(300, HOLD0).contains('~'), "{firmware}: a bare resume would run the rest");
        wire.key(Realtime::StopProgram);
        let sent = wire.answering(100, HOLD0);
        assert!(sent.contains("\\x18") || sent.contains('\u{18}'), "{firmware}: {sent:?}");
        assert_eq!(wire.told(), [ProgramEvent::Ended(StreamEnd::Void(VoidReason::Reset))]);
    }
}

#[test]
fn a_line_that_is_half_out_is_finished_before_the_lane_is_silent() {
    let mut wire = Wire::up(Firmware::Grbl);
    wire.begin();
    wire.feed(&MOVES);
    let mut out = [0; 30];
    assert_eq!(wire.session.poll_transmit(wire.now, &mut out, 30), 30);
    wire.rx("error:1");
    assert_eq!(wire.sent().replace(['!', '?'], ""), "3Y21.456\n", "never half a line");
}

#[test]
fn a_hold_stops_the_lane_before_it_is_seen_and_only_a_cycle_start_lets_it_go_on() {
    for firmware in ALL {
        let mut wire = Wire::up(firmware);
        wire.begin();
        wire.feed(&MOVES);
        wire.sent();
        wire.rx(RUN);
        wire.key(Realtime::FeedHold);
        assert_eq!(wire.told(), [ProgramEvent::Held(true)]);
        wire.rx("ok\nok\nok");
        assert!(!wire.sent().contains('G'), "{firmware}: room, but a hold was asked for");
        // The byte was lost and the machine came to its end by itself: still nothing goes on.
        let sent = wire.answering(1000, IDLE);
        assert!(!sent.contains('G'), "{firmware}: {sent:?}");
        wire.key(Realtime::CycleStart);
        assert!(wire.sent().contains("G1X17"), "{firmware}");
        assert_eq!(wire.told(), [ProgramEvent::Held(false)]);
    }
}

#[test]
fn a_stop_where_nothing_moves_pauses_the_lane_too() {
    let mut wire = Wire::up(Firmware::Grbl);
    wire.begin();
    wire.key(Realtime::Stop);
    wire.feed(&MOVES);
    assert!(!wire.sent().contains('G'));
}

#[test]
fn a_hold_by_a_button_at_the_machine_is_told_and_so_is_its_end() {
    let mut wire = Wire::up(Firmware::FluidNc);
    wire.begin();
    wire.feed(&MOVES);
    wire.sent();
    wire.rx(HOLD0);
    assert_eq!(wire.told(), [ProgramEvent::Held(true)]);
    wire.rx("ok");
    assert!(!wire.sent().contains('G'));
    wire.rx(RUN);
    assert_eq!(wire.told(), [ProgramEvent::Held(false)]);
    assert!(wire.sent().contains("G1X17"));
}

#[test]
fn a_pause_at_a_lines_end_waits_for_rest_and_goes_on_with_the_next_line() {
    let mut wire = Wire::up(Firmware::GrblHal);
    wire.begin();
    wire.feed(&MOVES);
    let mut out = [0; 30];
    wire.session.poll_transmit(wire.now, &mut out, 30);
    wire.session.stream_pause(wire.now).unwrap();
    assert!(wire.session.stream_pause(wire.now).is_err(), "once");
    assert_eq!(wire.sent().replace('?', ""), "3Y21.456\n", "the line that is half out is finished");
    wire.rx("ok\nok");
    wire.answering(300, RUN);
    assert_eq!(wire.told(), []);
    wire.answering(600, IDLE);
    assert_eq!(wire.told(), [ProgramEvent::AtRest(Rest::Paused)]);
    assert!(wire.session.is_streaming());
    wire.key(Realtime::CycleStart);
    assert_eq!(wire.told(), [ProgramEvent::Resumed]);
    assert!(wire.sent().contains("G1X12.123"));
}

#[test]
fn a_wait_comes_after_all_before_it_and_goes_on_only_once_it_was_told() {
    let mut wire = Wire::up(Firmware::Grbl);
    wire.begin();
    wire.feed(&[(1, "G1X1F100")]);
    wire.item(ProgramItem::Wait { number: 2 });
    assert!(!wire.session.stream_wants());
    wire.sent();
    wire.key(Realtime::CycleStart);
    wire.rx("ok");
    wire.answering(300, RUN);
    assert_eq!(wire.told(), [], "a cycle start from before the prompt does not answer it");
    wire.answering(300, IDLE);
    assert_eq!(wire.told(), [ProgramEvent::AtRest(Rest::Waits { number: 2 })]);
    wire.key(Realtime::CycleStart);
    assert_eq!(wire.told(), [ProgramEvent::Resumed]);
    assert!(wire.session.stream_wants());
}

#[test]
fn a_wait_can_be_passed_by_name_and_no_hold_is_let_go_by_that() {
    let mut wire = Wire::up(Firmware::FluidNc);
    wire.begin();
    wire.item(ProgramItem::Wait { number: 2 });
    let pass = |wire: &mut Wire, number| wire.session.stream_pass(wire.now, number).map_err(|why| why.0);
    assert!(pass(&mut wire, 2).unwrap_err().contains("does not wait"), "it does not rest there yet");
    wire.answering(300, IDLE);
    assert_eq!(wire.told(), [ProgramEvent::AtRest(Rest::Waits { number: 2 })]);
    assert!(pass(&mut wire, 3).unwrap_err().contains("line 3"));
    wire.key(Realtime::FeedHold);
    assert_eq!(wire.told(), [ProgramEvent::Held(true)]);
    assert_eq!(pass(&mut wire, 2).unwrap_err(), "it is on hold");
    assert!(!wire.session.stream_wants());
    wire.key(Realtime::CycleStart);
    assert!(wire.told().contains(&ProgramEvent::Resumed), "a person lets go of both");

    let mut wire = Wire::up(Firmware::Grbl);
    wire.begin();
    wire.item(ProgramItem::Wait { number: 2 });
    wire.answering(300, IDLE);
    wire.told();
    wire.sent();
    assert_eq!(pass(&mut wire, 2), Ok(()));
    assert_eq!(wire.told(), [ProgramEvent::Resumed]);
    assert!(wire.session.stream_wants() && !wire.sent().contains('~'), "nothing is sent for it");
}

#[test]
fn m0_goes_alone_and_the_controllers_own_wait_is_told() {
    for (firmware, line, state) in [
        (Firmware::Grbl, "M0", HOLD0),
        (Firmware::FluidNc, "M0", HOLD0),
        (Firmware::GrblHal, "M6T2", "<Tool|MPos:1.000,0.000,0.000|FS:0,0>"),
    ] {
        let mut wire = Wire::up(firmware);
        wire.begin();
        assert_eq!(wire.feed(&[(1, "G1X1F100"), (2, line), (3, "G1X2")]), 2, "{firmware}: nothing behind it");
        assert_eq!(wire.sent().replace('?', ""), "G1X1F100\n");
        wire.rx("ok");
        assert_eq!(wire.sent().replace('?', ""), format!("{line}\n"));
        wire.answering(0, RUN);
        for _ in 0..3 {
            wire.pass(20);
            wire.rx(state);
        }
        assert_eq!(wire.told(), [ProgramEvent::Asks { number: 2 }], "{firmware}");
        wire.key(Realtime::CycleStart);
        assert!(wire.sent().contains('~'));
        wire.rx("ok");
        wire.answering(600, IDLE);
        assert_eq!(wire.told(), [ProgramEvent::Passed { number: 2 }], "{firmware}");
        wire.feed(&[(3, "G1X2")]);
        assert!(wire.sent().contains("G1X2\n"), "{firmware}");
    }
}

#[test]
fn stop_program_ends_it_with_position_kept_even_where_nothing_moves() {
    let mut wire = Wire::up(Firmware::FluidNc);
    wire.begin();
    wire.feed(&MOVES);
    wire.sent();
    wire.rx(RUN);
    wire.key(Realtime::StopProgram);
    assert!(wire.sent().starts_with('!'));
    let sent = wire.answering(500, HOLD0);
    assert!(sent.contains('\u{18}') && !sent.contains('G'), "{sent:?}");
    assert!(wire.told().contains(&ProgramEvent::Ended(StreamEnd::Void(VoidReason::Reset))));

    let mut wire = Wire::up(Firmware::FluidNc);
    wire.begin();
    wire.item(ProgramItem::Wait { number: 1 });
    wire.answering(300, IDLE);
    wire.key(Realtime::StopProgram);
    assert!(wire.sent().contains('\u{18}'), "the spindle may turn");
}

#[test]
fn alarm_reset_and_lost_link_end_it_with_what_was_accepted() {
    let ends: [(&str, StreamEnd); 2] = [
        ("ALARM:1", StreamEnd::Void(VoidReason::Alarm)),
        ("Grbl 1.1h ['$' for help]", StreamEnd::Void(VoidReason::ControllerReset)),
    ];
    for firmware in ALL {
        for (text, end) in ends {
            let mut wire = Wire::up(firmware);
            wire.begin();
            wire.feed(&MOVES);
            wire.sent();
            wire.rx("ok\nok");
            wire.rx(text);
            assert_eq!(wire.told(), [ProgramEvent::Ended(end)], "{firmware} {text}");
            assert_eq!(wire.progress().map(|(_, acked)| acked), Some(2));
            assert!(!wire.answering(500, IDLE).contains("G1"), "{firmware} {text}");
        }
        let mut wire = Wire::up(firmware);
        wire.begin();
        wire.feed(&MOVES);
        wire.session.handle_closed(wire.now);
        assert_eq!(wire.told(), [ProgramEvent::Ended(StreamEnd::Void(VoidReason::LinkLost))]);
    }
}

#[test]
fn lines_that_are_never_answered_end_it_and_are_not_sent_again() {
    let mut wire = Wire::up(Firmware::Grbl);
    wire.begin();
    wire.feed(&[(1, "G1X1F100")]);
    wire.sent();
    for _ in 0..120 {
        wire.pass(100);
        wire.rx(IDLE);
    }
    assert_eq!(wire.told(), [ProgramEvent::Ended(StreamEnd::LinesLost)]);
}

#[test]
fn a_feeder_that_fails_holds_what_moves() {
    let mut wire = Wire::up(Firmware::Grbl);
    wire.begin();
    wire.feed(&MOVES[..3]);
    wire.sent();
    wire.rx(RUN);
    wire.item(ProgramItem::Broken { why: "gone".into() });
    assert!(wire.sent().contains('!'));
    assert!(wire.told().contains(&ProgramEvent::Broken { why: "gone".into() }));
}

/// grblHAL empties its receive buffer on 0x85 in any state.
#[test]
fn no_jog_cancel_leaves_while_a_program_streams() {
    let mut wire = Wire::up(Firmware::GrblHal);
    wire.step(1.0).unwrap();
    wire.answering(300, JOG);
    wire.answering(1000, IDLE);
    wire.begin();
    wire.feed(&MOVES);
    wire.sent();
    wire.pass(3000); // no report any more: its state is not known
    wire.key(Realtime::JogCancel);
    assert!(!wire.sent().contains("\\x85"));
}

#[test]
fn grbl_gets_lines_that_touch_its_eeprom_alone() {
    for (firmware, alone) in [(Firmware::Grbl, true), (Firmware::FluidNc, false)] {
        let mut wire = Wire::up(firmware);
        wire.begin();
        wire.feed(&[(1, "G21"), (2, "G55"), (3, "G90")]);
        let sent = wire.sent().replace('?', "");
        assert_eq!(sent == "G21\n", alone, "{firmware}: {sent:?}");
    }
}
