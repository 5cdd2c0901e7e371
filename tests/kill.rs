//! The real binary killed in the middle of a program: the next start offers to take it up where it was.

mod common;

use std::fmt::Write as _;

use common::Home;
use common::pty::Terminal;
use rustix::process::Signal;

/// Moves of about half a second each.
fn program() -> String {
    let mut text = "G21 G90 G17 G94 G54\nM3 S1000\nG0 X20 Y20 Z-5\n".to_owned();
    for x in 0..100 {
        let _ = writeln!(text, "G1 X{} F1200", 20 + 10 * (x % 2));
    }
    text + "M30\n"
}

fn open(home: Home) -> Terminal {
    let mut terminal = Terminal::sunmill(home, &[], (24, 80), &[]);
    terminal.wait_until("the simulated machine, alive", |screen| {
        let text = screen.contents();
        text.contains(" SIM ") && (text.contains("IDLE") || text.contains("ALARM"))
    });
    terminal.rest();
    terminal
}

/// The number after `word` and before ` of `.
fn number_after(text: &str, word: &str) -> Option<u64> {
    let rest = &text[text.find(word)? + word.len()..];
    rest.split_whitespace().next()?.parse().ok()
}

/// Presses a key until it is taken: what starts motion is not taken while the screen has just changed.
fn press_until(terminal: &mut Terminal, key: &str, word: &str) {
    for _ in 0..10 {
        terminal.send(key);
        terminal.rest();
        if terminal.grid().contains(word) {
            return;
        }
        terminal.rest();
    }
    terminal.wait_for(word);
}

#[test]
fn a_killed_program_is_offered_at_its_line() {
    let home = Home::new();
    home.write("gcode/part.nc", &program());
    home.write("config.toml", "[programs]\nfolders = [\"~/gcode\"]\n");
    let mut terminal = open(home);
    terminal.send("H");
    terminal.wait_for("Home all");
    terminal.rest();
    press_until(&mut terminal, "\r", "HOME");
    terminal.wait_until("a homed machine", |screen| {
        let text = screen.contents();
        text.contains("IDLE") && text.contains("mm  homed")
    });
    terminal.rest();
    terminal.send("P");
    terminal.wait_for("gcode");
    terminal.rest();
    press_until(&mut terminal, "\r", "part.nc");
    terminal.wait_for("good");
    terminal.rest();
    terminal.send("r");
    terminal.wait_for("THE MACHINE MOVES");
    terminal.rest();
    press_until(&mut terminal, "\r", "RUNNING");
    terminal.wait_until("line 33 and after", |screen| {
        number_after(&screen.contents(), " line ").is_some_and(|line| line >= 33)
    });
    terminal.signal(Signal::KILL);
    terminal.exit_status();

    let home = std::mem::replace(&mut terminal.home, Home::new());
    let mut terminal = open(home);
    terminal.wait_for("interrupted at line");
    let line = number_after(&terminal.grid(), "interrupted at line ").expect("its number");
    // A position is at most a second old, and a line takes half a second.
    assert!((28..60).contains(&line), "line {line}:\n{}", terminal.grid());
}
