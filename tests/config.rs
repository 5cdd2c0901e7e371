//! `sunmill config`: which file is in force, and what is wrong with it.

mod common;

use common::{Home, failure, stdout, sunmill};

#[test]
fn without_a_file_the_built_in_defaults_are_in_force() {
    let home = Home::new();
    assert_eq!(stdout(&sunmill(&home, &["config", "check"], &[])), "ok: the built-in defaults (no file found)\n");
    let shown = stdout(&sunmill(&home, &["config", "show"], &[]));
    assert!(shown.contains("# machine:  the simulated machine, because no port is set"), "{shown}");
    assert_eq!(sunmill::config::parse("shown", &shown).unwrap(), sunmill::config::Config::default());
}

#[test]
fn the_file_in_force_is_said_for_every_place() {
    let home = Home::new();
    let file = |name: &str| home.write(name, "");
    let show = |args: &[&str], variables: &[(&str, &str)]| {
        let shown = stdout(&sunmill(&home, &[args, &["config", "show"]].concat(), variables));
        shown.lines().next().expect("a line").trim_start_matches("# in force: ").to_owned()
    };
    let user = file(".config/sunmill/config.toml");
    assert_eq!(show(&[], &[]), user);
    let xdg = file("xdg/sunmill/config.toml");
    let xdg_folder = home.path().join("xdg");
    let xdg_home = [("XDG_CONFIG_HOME", xdg_folder.to_str().unwrap())];
    assert_eq!(show(&[], &xdg_home), xdg);
    file("config.toml");
    assert_eq!(show(&[], &xdg_home), "./config.toml");
    let variable = file("variable.toml");
    assert_eq!(show(&[], &[("SUNMILL_CONFIG", &variable)]), format!("{variable} ($SUNMILL_CONFIG)"));
    let option = file("option.toml");
    assert_eq!(show(&["--config", &option], &[("SUNMILL_CONFIG", &variable)]), option);
}

#[test]
fn a_file_can_be_named_to_the_command() {
    let home = Home::new();
    let good = home.write("good.toml", "[machine]\nport = \"tcp://mill\"");
    let bad = home.write("bad.toml", "version = 1\n\n[ui]\nframe_ms = 5\n");
    assert_eq!(stdout(&sunmill(&home, &["config", "check", &good], &[])), format!("ok: {good}\n"));
    let words = failure(&sunmill(&home, &["config", "check", &bad], &[]), 1);
    assert_eq!(
        words,
        format!("error: {bad}:4:12: ui.frame_ms is integer 5, but must be a whole number from 10 to 1000\n")
    );
    assert_eq!(failure(&sunmill(&home, &["config", "show", &bad], &[]), 1), words);
}

#[test]
fn a_missing_file_is_named() {
    let home = Home::new();
    let runs = [
        sunmill(&home, &["config", "check", "nowhere.toml"], &[]),
        sunmill(&home, &["--config", "nowhere.toml", "config", "show"], &[]),
        sunmill(&home, &["config", "show"], &[("SUNMILL_CONFIG", "nowhere.toml")]),
    ];
    for run in &runs {
        let words = failure(run, 1);
        assert!(words.starts_with("error: nowhere.toml cannot be read: No such file or directory"), "{words}");
    }
}

#[test]
fn the_port_option_is_in_force() {
    let home = Home::new();
    home.write("config.toml", "[machine]\nport = \"/dev/ttyUSB0\"");
    let shown = stdout(&sunmill(&home, &["config", "show", "--port", "ws://mill"], &[]));
    assert!(shown.contains("# machine:  ws://mill:80/ (--port)"), "{shown}");
    assert!(shown.contains("port = \"ws://mill:80/\""), "{shown}");
}

#[test]
fn keys_are_checked_and_followed() {
    let home = Home::new();
    let bad = home.write("bad.toml", "[keys]\nhome = \"F5\"\nzero = [\"F5\", \"F10\"]\nquitt = \"x\"\n");
    let words = failure(&sunmill(&home, &["config", "check", &bad], &[]), 1);
    assert!(words.contains(&format!("{bad}:3: keys.zero: F5 is already the key of home ({bad}:2)")), "{words}");
    assert!(words.contains(&format!("{bad}:4: there is no action \"quitt\"; did you mean \"quit\"?")), "{words}");

    home.write("config.toml", "[keys]\nhome = \"F5\"\nstop = \"F10\"\n");
    let keys = stdout(&sunmill(&home, &["keys"], &[]));
    let line = |help: &str| keys.lines().find(|line| line.contains(help)).expect(help).to_owned();
    assert!(line("Home the machine").trim_start().starts_with("F5 "), "{keys}");
    assert!(line("Stop motion").contains("Space  Ctrl+Space  F10"), "{keys}");
    let table = stdout(&sunmill(&home, &["keys", "--toml"], &[]));
    let all = home.write("all.toml", &format!("[keys]\n{table}"));
    assert_eq!(stdout(&sunmill(&home, &["config", "check", &all], &[])), format!("ok: {all}\n"));
}

#[test]
fn an_unknown_theme_is_named_with_the_known_ones() {
    let home = Home::new();
    let bad = home.write("bad.toml", "[ui]\ntheme = \"solarised\"\n");
    let words = failure(&sunmill(&home, &["config", "check", &bad], &[]), 1);
    assert!(words.contains(&format!("{bad}:2:9: ui.theme")) && words.contains("high-contrast"), "{words}");
}
