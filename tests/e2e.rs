//! The real binary in a real terminal.

mod common;

use common::Home;
use common::pty::Terminal;
use rustix::process::Signal;

#[test]
fn the_help_fits_a_terminal() {
    let mut terminal = Terminal::sunmill(Home::new(), &["-h"], (44, 80), &[]);
    terminal.wait_for("not an emergency stop circuit");
    assert!(terminal.exit_status().success());
    assert!(terminal.grid().starts_with("Run a FluidNC"), "more than 44 lines:\n{}", terminal.grid());
}

/// The screen on the simulated machine.
mod screen {
    use super::*;

    fn open() -> Terminal {
        let mut terminal = Terminal::sunmill(Home::new(), &[], (24, 80), &[]);
        terminal.wait_until("the simulated machine, alive", |screen| {
            let text = screen.contents();
            text.contains(" SIM ") && text.contains("IDLE")
        });
        terminal
    }

    fn restored(terminal: &Terminal) {
        let screen = terminal.screen();
        assert!(!screen.alternate_screen() && !screen.hide_cursor(), "not restored:\n{}", terminal.grid());
        assert!(!screen.bracketed_paste() && !screen.application_cursor(), "modes are left on");
    }

    #[test]
    fn it_opens_on_the_simulated_machine_and_leaves_the_terminal_as_it_was() {
        let mut terminal = open();
        assert!(terminal.screen().alternate_screen());
        terminal.send("q");
        assert!(terminal.exit_status().success());
        restored(&terminal);
    }

    #[test]
    fn a_tap_in_jog_mode_is_one_step() {
        let mut terminal = open();
        terminal.wait_for(" X         50.000      50.000 mm");
        terminal.rest();
        terminal.send("i");
        terminal.wait_for("JOG MODE");
        terminal.rest();
        terminal.send("\x1b[C");
        terminal.wait_until("one step of X, and no more", |screen| {
            let text = screen.contents();
            text.contains(" X         51.000      51.000 mm") && text.contains("IDLE")
        });
    }

    #[test]
    fn help_opens_and_closes() {
        let mut terminal = open();
        terminal.send("?");
        terminal.wait_for("A software stop is not an emergency stop");
        terminal.send("\x1b");
        terminal.wait_until("help closed", |screen| {
            !screen.contents().contains("A software stop is not an emergency stop")
        });
    }

    #[test]
    fn it_follows_the_size_of_the_terminal() {
        let mut terminal = open();
        for size in [(40, 120), (18, 60), (1, 1), (24, 80)] {
            terminal.resize(size);
        }
        terminal.wait_for("SIM");
        terminal.send("q");
        assert!(terminal.exit_status().success());
    }

    #[test]
    fn a_dropped_connection_ends_it() {
        let mut terminal = open();
        terminal.hang_up();
        assert_eq!(terminal.exit_status().exit_code(), 129);
    }

    #[test]
    fn being_told_to_end_it_restores_the_terminal() {
        let mut terminal = open();
        terminal.signal(Signal::TERM);
        assert_eq!(terminal.exit_status().exit_code(), 143);
        restored(&terminal);
    }

    #[test]
    fn a_machine_on_a_pseudo_terminal_is_run_lost_and_found_again() {
        let house = Home::new();
        let port = house.path().join("mill").to_str().expect("a path in UTF-8").to_owned();
        let simulate = || {
            let mut machine = Terminal::sunmill(Home::new(), &["sim", "machine", "--pty", &port], (24, 80), &[]);
            machine.wait_for("A simulated FluidNC machine is at");
            machine
        };
        let mut machine = simulate();
        let mut terminal = Terminal::sunmill(Home::new(), &["--port", &port], (24, 80), &[]);
        terminal.wait_for("The controller is locked");
        assert!(!terminal.grid().contains("simulated machine"), "{}", terminal.grid());
        machine.signal(Signal::TERM);
        assert!(machine.exit_status().success());
        terminal.wait_for("the link is down");
        let _machine = simulate();
        terminal.send("r");
        terminal.wait_until("found again", |screen| {
            let text = screen.contents();
            text.rfind("answers on") > text.rfind("the link is down") && text.contains("not homed")
        });
    }

    #[test]
    fn a_configured_machine_that_is_absent_is_never_simulated() {
        let home = Home::new();
        let port = home.path().join("nowhere");
        let mut terminal = Terminal::sunmill(home, &["--port", port.to_str().expect("a path in UTF-8")], (24, 80), &[]);
        terminal.wait_for("nowhere");
        assert!(!terminal.grid().contains("SIM"), "{}", terminal.grid());
        terminal.send("q");
        assert!(terminal.exit_status().success());
    }

    #[test]
    fn without_a_folder_for_the_log_it_says_so_and_opens() {
        let home = Home::new();
        home.write("file", "");
        let folder = home.path().join("file/log");
        home.write("config.toml", &format!("[log]\nfolder = {:?}", folder.to_str().expect("a path in UTF-8")));
        let mut terminal = Terminal::sunmill(home, &[], (24, 80), &[]);
        terminal.wait_for("no log:");
        assert!(terminal.grid().contains("SIM"), "{}", terminal.grid());
    }
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
