use super::*;
use crate::program::motion::Plane;
use crate::program::vocabulary::{Distance, FeedMode, MotionMode, Spindle, ToolLength, Units};

#[test]
fn every_group_is_kept() {
    let modal = on(
        Firmware::GrblHal,
        "G18 G20 G91 G91.1 G95 G55 G43.1 Z1 G99 G61\nM3 S900 M8\nM7\nT4 M6\nG1 X1 F0.2\nM49\nG92 X0",
    )
    .modal;
    assert_eq!(
        (modal.plane, modal.units, modal.distance),
        (Some(Plane::Zx), Some(Units::Inch), Some(Distance::Relative))
    );
    assert_eq!(
        (modal.feed_mode, modal.system, modal.motion),
        (Some(FeedMode::PerRevolution), Some(2), Some(MotionMode::Linear))
    );
    assert_eq!((modal.tool_length, modal.tool_offset_mm[2]), (Some(ToolLength::Dynamic), 25.4));
    assert_eq!((modal.spindle, modal.speed_rpm), (Some(Spindle::Clockwise), Some(900.0)));
    assert_eq!(
        (modal.mist, modal.flood, modal.tool, modal.tool_in_spindle),
        (Some(true), Some(true), Some(4), Some(4))
    );
    assert_eq!((modal.feed_mm, modal.overrides, modal.path_control), (Some(0.2 * 25.4), Some(490), Some(610)));
    assert_eq!(modal.words(), ["G95", "G18", "G20", "G55", "G61", "G91", "G91.1", "G99"]);
    assert_eq!(Modal::default().words(), Vec::<String>::new());
    let json = serde_json::to_string(&modal).unwrap();
    assert_eq!(serde_json::from_str::<Modal>(&json).unwrap(), modal);
}

#[test]
fn the_end_of_a_program_resets_what_the_firmware_resets() {
    let modal = read("G18 G20 G91 G93 G56 M4 S5 M8\nM30").modal;
    assert_eq!(modal.words(), ["G94", "G17", "G20", "G54", "G90"]);
    assert_eq!((modal.spindle, modal.flood, modal.feed_mm), (Some(Spindle::Off), Some(false), None));
}

#[test]
fn a_refused_line_changes_nothing() {
    assert_eq!(read("G21 G90\nG0 X1\nG20 X5e3").modal, read("G21 G90\nG0 X1").modal);
}

#[test]
fn reading_can_go_on_from_a_modal_state() {
    let dialect = Dialect::new(Firmware::FluidNc, 3);
    let (head, tail) = ("G20 G91 M3 S9\nG1 X1 F10\n", "X1 Y1\nG2 X1 I0.5\n");
    let first = read_as(dialect.clone(), head);
    let whole = read_as(dialect.clone(), &format!("{head}{tail}"));
    let (mut tracker, mut block, mut read) = (Tracker::resumed(dialect, first.modal), Block::new(), Read::default());
    Reader::at_line(3).feed(tail.as_bytes(), |raw| {
        block.parse(raw.bytes);
        tracker.apply(raw, &block, &mut read);
    });
    assert_eq!(tracker.modal(), &whole.modal);
}
