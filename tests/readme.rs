//! The README's picture is the real screen: drawn by the real program on the simulated machine.
//!
//! After a change of the screen, `SUNMILL_DRAW_README=1 cargo test --test readme` draws it anew.

#![allow(clippy::expect_used, reason = "a test")]

mod common;

use common::Home;
use common::pty::Terminal;

const MARK: &str = "<!-- screen -->";

#[test]
fn the_picture_is_the_screen() {
    let mut terminal = Terminal::sunmill(Home::new(), &[], (24, 80), &[]);
    terminal.wait_for(" X         50.000      50.000 mm");
    terminal.wait_for("auto report interval");
    terminal.rest();
    terminal.send("i");
    terminal.wait_for("JOG MODE");
    terminal.rest();
    terminal.send("\x1b[C");
    terminal.wait_until("the step, answered and done", |screen| {
        let text = screen.contents();
        text.contains(" X         51.000      51.000 mm") && text.contains("IDLE") && text.contains("ok ")
    });
    let drawn = steady(&terminal.grid());
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(path).expect("the README");
    let parts: Vec<_> = readme.split(MARK).collect();
    let [before, picture, after] = parts[..] else { panic!("two {MARK} in the README") };
    if std::env::var_os("SUNMILL_DRAW_README").is_some() {
        let picture = format!("{before}{MARK}\n```text\n{drawn}\n```\n{MARK}{after}");
        std::fs::write(path, picture).expect("the README can be written");
        return;
    }
    let picture = picture.trim().trim_start_matches("```text\n").trim_end_matches("```").trim_end();
    assert_eq!(picture, drawn, "the screen has changed: SUNMILL_DRAW_README=1 cargo test --test readme");
}

/// The grid without what differs from run to run: latencies, and blanks at line ends.
fn steady(grid: &str) -> String {
    let steady = |line: &str| match line.trim_end().rsplit_once(" ok ") {
        Some((sent, latency)) if latency.ends_with(" ms") => format!("{:<72} ok 2 ms", sent.trim_end()),
        _ => line.trim_end().to_owned(),
    };
    grid.lines().map(steady).collect::<Vec<_>>().join("\n").trim_end().to_owned()
}
