//! The commands that are not the screen, run as a person or a script runs them.

mod common;

use common::{Home, failure, stdout, sunmill};

fn run(args: &[&str]) -> std::process::Output {
    sunmill(&Home::new(), args, &[])
}

#[test]
fn help_names_every_command_and_the_danger() {
    let help = stdout(&run(&["--help"]));
    for text in ["keys", "config", "sim", "--config <FILE>", "--port <PORT>", "SIM", "not an emergency stop circuit"] {
        assert!(help.contains(text), "{text:?} is missing:\n{help}");
    }
    assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
}

#[test]
fn the_version_is_that_of_the_package() {
    assert_eq!(stdout(&run(&["-V"])), concat!("sunmill ", env!("CARGO_PKG_VERSION"), "\n"));
    assert!(stdout(&run(&["--version"])).contains("FluidNC"));
}

#[test]
fn keys_are_data_on_stdout() {
    let keys = stdout(&run(&["keys"]));
    assert!(keys.contains("Ctrl+Space"), "{keys}");
    assert_eq!(stdout(&run(&["keys", "--markdown"])), sunmill::cli::keys::markdown());
}

#[test]
fn the_readme_has_the_keys_of_the_program() {
    let readme = include_str!("../README.md");
    let table = readme.split("<!-- keys -->\n").nth(1).expect("two markers in the README");
    let expected = sunmill::cli::keys::markdown();
    assert_eq!(table.trim(), expected.trim(), "put the output of `sunmill keys --markdown` between the markers");
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    for args in [&["jog"][..], &["--port", "COM3"], &["sim", "machine"], &["config"]] {
        let words = failure(&run(args), 2);
        assert!(words.contains("--help"), "{words}");
    }
}

#[test]
fn the_help_of_a_command_is_found_both_ways() {
    assert_eq!(stdout(&run(&["help", "control", "take"])), stdout(&run(&["control", "take", "--help"])));
    assert_eq!(stdout(&run(&["help"])), stdout(&run(&["--help"])));
    assert!(failure(&run(&["help", "fly"]), 2).contains("'fly'"));
}

#[test]
fn the_exit_codes_are_the_same_in_help_and_readme() {
    let help = stdout(&run(&["--help"]));
    let (_, rest) = help.split_once("Exit codes:\n").expect("exit codes in the help");
    let told: Vec<(&str, &str)> = rest
        .lines()
        .take_while(|line| !line.is_empty())
        .map(|line| line.trim().split_once("  ").expect("two columns"))
        .collect();
    let told: Vec<String> = told.iter().map(|(code, meaning)| format!("| {code} | {} |", meaning.trim())).collect();
    let readme = include_str!("../README.md");
    let (_, table) = readme.split_once("| exit code | of every command |\n|---|---|\n").expect("a table in the README");
    let table: Vec<&str> = table.lines().take_while(|line| line.starts_with('|')).collect();
    assert_eq!(table, told);
}

#[test]
fn a_program_is_drawn_with_its_size_time_and_problems() {
    let home = Home::new();
    home.write("part.nc", "G21 G90 M3 S1000\nG0 X0 Y0 Z1\nG1 Z-1 F300\nX40\nY20\nX0\nY0\nG0 Z1\nM5\nM30\n");
    let args = ["preview", "part.nc", "--width", "40", "--height", "12"];
    let picture = stdout(&sunmill(&home, &args, &[("LANG", "C"), ("LC_ALL", "C")]));
    assert!(picture.is_ascii() && picture.contains("ooooo"), "{picture}");
    for words in ["part.nc: 10 lines", "size: 40 x 20 x 2 mm", "time: 0:", "122 mm cut", "problems: 0 errors"] {
        assert!(picture.contains(words), "{words}: {picture}");
    }
    let braille = stdout(&sunmill(&home, &["preview", "part.nc", "--view", "iso"], &[("LC_ALL", "C.UTF-8")]));
    assert!(
        braille.contains("isometric") && braille.chars().any(|c| ('\u{2801}'..'\u{2900}').contains(&c)),
        "{braille}"
    );
    let words = failure(&sunmill(&home, &["preview", "nowhere.nc"], &[]), 1);
    assert!(words.contains("nowhere.nc"), "{words}");
    let words = failure(&sunmill(&home, &["preview", "."], &[]), 1);
    assert!(words.contains("is a folder"), "{words}");
}

#[test]
fn the_programs_are_listed_for_people_and_scripts() {
    let home = Home::new();
    home.write("config.toml", "[programs]\nfolders = [\"parts\"]");
    home.write("parts/one, two.nc", "G0 X1\n");
    home.write("parts/old/three.nc", "G0 X1 Y1\n");
    home.write("parts/notes.pdf", "no program");
    let list = |args: &[&str]| stdout(&sunmill(&home, &[&["programs", "list"], args].concat(), &[]));
    let text = list(&[]);
    assert!(text.contains("6 B") && text.contains("parts/one, two.nc") && !text.contains("notes"), "{text}");
    let rows: serde_json::Value = serde_json::from_str(&list(&["--json"])).unwrap();
    let told: Vec<_> = rows.as_array().unwrap().iter().map(|row| (&row["name"], &row["kind"], &row["bytes"])).collect();
    assert_eq!(
        told,
        [
            (&"old".into(), &"folder".into(), &serde_json::Value::Null),
            (&"one, two.nc".into(), &"program".into(), &6.into())
        ]
    );
    let csv = list(&["parts/old", "--csv"]);
    let lines: Vec<_> = csv.lines().collect();
    assert_eq!((lines.len(), lines[0]), (2, "path,name,kind,bytes,modified"));
    assert!(lines[1].contains("/parts/old/three.nc,three.nc,program,9,20"), "{csv}");
    let told = sunmill(&home, &["programs", "analyses", "--json"], &[]);
    let told: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!((&told["analyses"], &told["totals"]["at_most"]), (&serde_json::json!([]), &2.into()));
    let words = failure(&sunmill(&home, &["programs", "analyses", "pause", "3"], &[]), 3);
    assert!(words.contains("sunmill"), "{words}");
    let words = failure(&sunmill(&home, &["programs", "list", "/etc"], &[]), 1);
    assert!(words.contains("/etc: lies outside of the folders of programs"), "{words}");
}

#[test]
fn the_screen_says_that_it_needs_a_terminal() {
    let words = failure(&run(&[]), 1);
    assert!(words.starts_with("error: the screen needs a terminal") && words.contains("ssh -t"), "{words}");
}

#[test]
fn a_bad_configuration_stops_the_screen_before_anything_is_touched() {
    let home = Home::new();
    home.write("config.toml", "[machine]\nbauds = 1");
    let words = failure(&sunmill(&home, &[], &[]), 1);
    assert!(words.contains("./config.toml:2:1: unknown key \"bauds\""), "{words}");
}
