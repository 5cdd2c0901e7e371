//! The real binary in a real terminal.

mod common;

use common::Home;
use common::pty::Terminal;
use rustix::process::Signal;

#[test]
fn the_help_fits_a_terminal() {
    let mut terminal = Terminal::sunmill(Home::new(), &["-h"], (24, 80), &[]);
    terminal.wait_for("not an emergency stop circuit");
    assert!(terminal.exit_status().success());
    assert!(terminal.grid().starts_with("Run a FluidNC"), "more than 24 lines:\n{}", terminal.grid());
}

/// The harness itself: what the tests of the screen rest on.
mod harness {
    use super::*;

    #[test]
    fn keys_reach_the_program_and_its_words_the_grid() {
        let mut terminal = Terminal::spawn(Home::new(), "/bin/cat", &[], (24, 80), &[]);
        terminal.send("hello\n");
        terminal.wait_until("the echo and the copy", |screen| screen.contents().matches("hello").count() == 2);
        terminal.send(b"\x04");
        assert!(terminal.exit_status().success());
    }

    #[test]
    fn a_hang_up_ends_what_holds_the_terminal() {
        let mut terminal = Terminal::spawn(Home::new(), "/bin/cat", &[], (24, 80), &[]);
        terminal.send("here\n");
        terminal.wait_for("here");
        terminal.hang_up();
        let status = terminal.exit_status();
        assert!(status.signal().is_some_and(|signal| signal.contains("ang")), "not ended by SIGHUP: {status:?}");
    }

    #[test]
    fn signals_and_sizes_arrive() {
        let script = "trap 'stty size' WINCH; trap 'exit 7' TERM; echo ready; while :; do read line; done";
        let mut terminal = Terminal::spawn(Home::new(), "/bin/sh", &["-c", script], (24, 80), &[]);
        terminal.wait_for("ready");
        terminal.resize((40, 100));
        // A shell runs its traps between commands: give it one.
        terminal.send("\n");
        terminal.wait_for("40 100");
        terminal.signal(Signal::TERM);
        terminal.send("\n");
        assert_eq!(terminal.exit_status().exit_code(), 7);
    }

    #[test]
    fn questions_to_the_terminal_are_answered() {
        let script = "stty raw -echo; printf '\\033[c'; head -c 9 | od -An -c";
        let mut terminal = Terminal::spawn(Home::new(), "/bin/sh", &["-c", script], (24, 80), &[]);
        terminal.wait_for("2   2   c");
        assert!(terminal.exit_status().success());
    }
}
