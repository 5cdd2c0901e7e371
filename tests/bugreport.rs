//! `sunmill bugreport`: all that is needed, and no secrets.

mod common;

use common::pty::Terminal;
use common::{Home, failure, stdout, sunmill};

#[test]
fn it_has_what_is_needed_to_look_into_something() {
    let home = Home::new();
    home.write("config.toml", "[machine]\nport = \"sim\"\n[ui]\nunits = \"inch\"\n");
    let socket = home.path().join("sunmill.sock").to_str().expect("UTF-8").to_owned();
    let mut screen = Terminal::sunmill(home, &["--socket", &socket], (24, 80), &[]);
    screen.wait_for("IDLE");
    let send = |line: &str| sunmill(&screen.home, &["--socket", &socket, "send", line], &[]);
    stdout(&send("G4 P0.01"));
    // Whether the machine takes it or not, it was on the wire.
    send("$Sta/Password=hush-on-the-wire");
    screen.rest();
    screen.send("q");
    screen.exit_status();
    let report = stdout(&sunmill(&screen.home, &["bugreport"], &[]));
    for words in [
        concat!("sunmill   ", env!("CARGO_PKG_VERSION")),
        "kernel    Linux ",
        "== doctor\nok       config",
        "no problem",
        "units = \"inch\"",
        "== audit, the last 100\n(no sunmill answers: this is what lies in ",
        "G4 P0.01",
        "== events, the last 300 of the sunmill that runs\n(no sunmill answers)\n",
        "== log, the end of ",
        "== wire, the end of wire.log\n",
        " > G4 P0.01\\n",
    ] {
        assert!(report.contains(words), "{words:?} is missing:\n{report}");
    }
    assert!(!report.contains("hush-on-the-wire"), "{report}");
    assert!(report.contains("Password= [removed]"), "that something was there is told: {report}");
}

#[test]
fn no_secret_of_the_configuration_appears_anywhere_in_it() {
    for broken in ["", "[machine\n"] {
        let home = Home::new();
        let secret = "d41d8cd98f00b204";
        // Not a section that this sunmill knows: the doctor tells the mistake, and a report is wanted all the same.
        home.write(
            "config.toml",
            &format!("{broken}[mqtt]\nbroker = \"mqtt://shop:{secret}@mill\"\npassword = \"{secret}\"\n"),
        );
        home.write(
            ".local/state/sunmill/log/sunmill.2026-11-28.log",
            &format!("INFO connects with {secret}\nand goes on\n"),
        );
        let report = stdout(&sunmill(&home, &["bugreport"], &[]));
        assert!(!report.contains(secret), "{report}");
        assert!(report.contains("and goes on") && report.contains("PROBLEM  config"), "{report}");
        let file = home.path().join("report.txt");
        let args = ["bugreport", "-o", "report.txt"];
        let output = sunmill(&home, &args, &[]);
        assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
        assert!(!std::fs::read_to_string(&file).unwrap().contains(secret));
        let why = failure(&sunmill(&home, &args, &[]), 1);
        assert!(why.contains("report.txt"), "what is there is not written over: {why}");
    }
}
