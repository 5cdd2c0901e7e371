//! The linear mode in a real terminal: words in, lines out, nothing drawn.

mod common;

use common::Home;
use common::pty::Terminal;

fn say(terminal: &mut Terminal, line: &str) {
    // As a person does: one line, then the next.
    terminal.rest();
    terminal.send(format!("{line}\r"));
}

#[test]
fn a_machine_is_run_by_words_alone() {
    let mut terminal = Terminal::sunmill(Home::new(), &["--plain"], (60, 120), &[]);
    terminal.wait_for("not an emergency stop circuit");
    terminal.wait_for("connected to FluidNC");
    terminal.wait_for("SIMULATED");
    say(&mut terminal, "jog X 10 F3000");
    terminal.wait_until("the end of the jog", |screen| {
        screen.contents().split_once("State jogging").is_some_and(|(_, after)| after.contains("State idle"))
    });
    say(&mut terminal, "pos");
    terminal.wait_for("X 60.000 mm");
    say(&mut terminal, "zero X");
    terminal.wait_for("ok: ");
    say(&mut terminal, "hoem");
    terminal.wait_for("not a word or G-code");
    say(&mut terminal, "G1 X");
    terminal.wait_for("error ");
    say(&mut terminal, "quit");
    assert!(terminal.exit_status().success());
    assert!(!terminal.raw.contains(&0x1b), "an escape sequence: {:?}", String::from_utf8_lossy(&terminal.raw));
}

#[test]
fn enter_alone_and_ctrl_c_stop_a_moving_machine() {
    for stop in ["\r", "\x03"] {
        let mut terminal = Terminal::sunmill(Home::new(), &["--plain"], (60, 120), &[]);
        terminal.wait_for("connected to FluidNC");
        say(&mut terminal, "G91 G1 X100 F300");
        terminal.wait_for("State running");
        terminal.rest();
        terminal.send(stop);
        terminal.wait_for("stopped: the machine stands");
        say(&mut terminal, "end");
        terminal.wait_until("the end of the motion", |screen| {
            screen.contents().split_once("State hold").is_some_and(|(_, after)| after.contains("State idle"))
        });
        say(&mut terminal, "quit");
        assert!(terminal.exit_status().success(), "{}", terminal.grid());
    }
}

#[test]
fn a_dumb_terminal_is_not_drawn_on() {
    let mut terminal = Terminal::sunmill(Home::new(), &[], (24, 80), &[("TERM", "dumb")]);
    terminal.wait_for("cannot draw the screen");
    terminal.wait_for("connected to FluidNC");
    terminal.rest();
    terminal.send("\x04");
    assert!(terminal.exit_status().success(), "Ctrl+D leaves");
    assert!(!terminal.raw.contains(&0x1b));
}

#[test]
fn no_terminal_is_needed() {
    let output = common::sunmill(&Home::new(), &["--plain"], &[]);
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("plain mode"));
}
