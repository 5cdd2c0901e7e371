//! The README's picture is the real screen: the real program on the simulated machine, played by `assets/demo.tape`.
//!
//! After a change of the screen, `SUNMILL_DRAW_README=1 cargo test --test readme` draws it anew.

mod common;

use common::Home;
use common::pty::Terminal;

const MARK: &str = "<!-- screen -->";
const TAPE: &str = include_str!("../assets/demo.tape");

#[test]
fn the_picture_is_the_screen() {
    let home = Home::new();
    // Without the simulated inverter, whose day is that of the clock on the wall.
    home.write("config.toml", "[machine]\nport = \"sim\"\n");
    let mut terminal = Terminal::sunmill(home, &[], (24, 80), &[]);
    play(TAPE, &mut terminal);
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

/// Plays what the tape does once the program has been started.
fn play(tape: &str, terminal: &mut Terminal) {
    let (_, shown) = tape.split_once("\nShow\n").expect("Show in the tape");
    for line in shown.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "Type" => terminal.send(rest.trim_matches('"')),
            "Sleep" => terminal.rest(),
            "Wait+Screen" => terminal.wait_for(&rest.trim_matches('/').replace('\\', "")),
            "Right" => terminal.send("\x1b[C"),
            "Enter" => terminal.send("\r"),
            "Escape" => terminal.send("\x1b"),
            "Space" => terminal.send(" "),
            _ => panic!("the tape says {line:?}, which this test cannot play"),
        }
    }
}

/// The grid without what differs from run to run: latencies, and blanks at line ends.
fn steady(grid: &str) -> String {
    let steady = |line: &str| match line.trim_end().rsplit_once(" ok ") {
        Some((sent, latency)) if latency.ends_with(" ms") => format!("{:<72} ok 2 ms", sent.trim_end()),
        _ => line.trim_end().to_owned(),
    };
    grid.lines().map(steady).collect::<Vec<_>>().join("\n").trim_end().to_owned()
}
