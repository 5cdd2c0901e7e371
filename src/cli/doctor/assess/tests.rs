use super::super::facts::{Clock, ConfigFacts};
use super::super::finding::Level;
use super::*;
use crate::model::desk::{Candidate, Usb};

/// A computer on which all is well.
fn well() -> Facts {
    Facts {
        config: ConfigFacts {
            source: "/etc/sunmill/config.toml".into(),
            machine: "/dev/ttyUSB0".into(),
            ..ConfigFacts::default()
        },
        user: User {
            name: "pi".into(),
            groups: vec!["pi".into(), "dialout".into()],
            serial_group: Some("dialout".into()),
            ..User::default()
        },
        ports: vec![usb("ttyUSB0", "usb-one", Some("0001"))],
        sockets: vec![Socket { path: "/run/sunmill.sock".into(), state: SocketState::Absent, open_to_all: false }],
        store: Kept {
            path: Some("/s/sunmill.db".into()),
            exists: true,
            bytes: 4096,
            free_bytes: Some(900 * MIB),
            ..Kept::default()
        },
        log: Kept { path: Some("/s/log".into()), exists: true, free_bytes: Some(900 * MIB), ..Kept::default() },
        clock: Clock { year: 2026, synchronised: Some(true), service: None },
        terminal: Terminal {
            present: true,
            term: "xterm-kitty".into(),
            size: Some((80, 24)),
            utf8: true,
            colour: true,
            key_releases: Some(true),
            ..Terminal::default()
        },
        ..Facts::default()
    }
}

fn usb(tty: &str, name: &str, serial: Option<&str>) -> Port {
    let path = format!("/dev/serial/by-id/{name}");
    let usb = Usb { id: "1a86:7523".into(), product: "USB Serial".into(), serial: serial.map(str::to_owned) };
    Port {
        candidate: Candidate {
            path: path.into(),
            device: format!("/dev/{tty}").into(),
            name: PortName::ById,
            usb: Some(usb),
            configured_for: None,
            held_by: None,
        },
        by_path: Some(format!("/dev/serial/by-path/socket-of-{tty}").into()),
        allowed: true,
        group: "dialout".into(),
        modem_ignored: false,
        brltty_rule: None,
    }
}

fn configured(path: &str, device: Option<&str>, what: &str) -> Configured {
    Configured { path: path.into(), what: what.into(), device: device.map(Into::into), allowed: true }
}

/// What is found after one change: exactly one finding worse than ok.
#[track_caller]
fn one(change: impl FnOnce(&mut Facts)) -> (Level, &'static str, String) {
    let mut facts = well();
    change(&mut facts);
    let mut bad: Vec<Finding> = assess(&facts).into_iter().filter(|finding| finding.level > Level::Ok).collect();
    assert_eq!(bad.len(), 1, "{bad:#?}");
    let Finding { area, level, what, remedy } = bad.remove(0);
    (level, area, format!("{what} -> {}", remedy.expect("what is bad has a remedy")))
}

#[track_caller]
fn says((level, area, text): (Level, &'static str, String), expected: (Level, &str), words: &[&str]) {
    assert_eq!((level, area), expected, "{text}");
    for word in words {
        assert!(text.contains(word), "{word:?} is missing: {text}");
    }
}

#[test]
fn a_computer_on_which_all_is_well_has_no_complaint() {
    let found = assess(&well());
    assert!(found.iter().all(|finding| finding.level == Level::Ok && finding.remedy.is_none()), "{found:#?}");
    for area in ["config", "ports", "groups", "others", "socket", "database", "log", "clock", "terminal"] {
        assert!(found.iter().any(|finding| finding.area == area), "{area}");
    }
}

#[test]
fn configuration() {
    let found = one(|f| f.config.mistake = Some("./config.toml:2:1: unknown key \"bauds\"".into()));
    says(found, (Level::Problem, "config"), &[":2:1: unknown key", "config check"]);
    let found = one(|f| (f.config.mistake, f.config.unread) = (Some("nosuch.toml: no such file".into()), true));
    says(found, (Level::Problem, "config"), &["no such file", "name one that can be read"]);
    let found = one(|f| f.config.unusable = vec!["inverter \"roof\": no profile \"x\"".into()]);
    says(found, (Level::Problem, "config"), &["roof", "profiles list"]);
}

#[test]
fn configured_devices() {
    let found = one(|f| f.config.serial = vec![configured("/dev/serial/by-id/gone", None, "this machine")]);
    says(found, (Level::Problem, "port"), &["is not there", "plug it in"]);
    let found = one(|f| f.config.serial = vec![configured("/dev/ttyUSB0", Some("/dev/ttyUSB0"), "this machine")]);
    says(found, (Level::Warning, "port"), &["another device after the next start", "write /dev/serial/by-id/usb-one"]);
    let found = one(|f| {
        f.config.serial = vec![
            configured("/dev/serial/by-id/usb-one", Some("/dev/ttyUSB0"), "this machine"),
            configured("/dev/serial/by-path/socket-of-ttyUSB0", Some("/dev/ttyUSB0"), "the bus roof"),
        ];
    });
    says(found, (Level::Problem, "port"), &["the bus roof", "for this machine too"]);
    let found = one(|f| {
        f.ports = vec![usb("ttyUSB0", "usb-1a86", None), usb("ttyUSB1", "usb-1a86", None)];
        f.config.serial = vec![configured("/dev/serial/by-id/usb-1a86", Some("/dev/ttyUSB0"), "this machine")];
    });
    says(found, (Level::Problem, "port"), &["also the name of another", "by-path/socket-of-ttyUSB0"]);
    let found = one(|f| {
        f.config.serial =
            vec![Configured { allowed: false, ..configured("/tmp/mill", Some("/dev/pts/3"), "this machine") }];
    });
    says(found, (Level::Problem, "port"), &["may not open"]);
    let found = one(|f| {
        f.ports.clear();
        f.config.serial = vec![configured("/tmp/mill", Some("/dev/pts/3"), "this machine")];
    });
    says(found, (Level::Problem, "ports"), &["no serial device", "cable"]);
}

#[test]
fn who_holds_a_device() {
    let found = one(|f| {
        f.ports[0].candidate.configured_for = Some("this machine".into());
        f.ports[0].candidate.held_by = Some("minicom (pid 42)".into());
    });
    says(found, (Level::Problem, "ports"), &["in use by minicom (pid 42)", "end that program"]);
    let mut facts = well();
    facts.ports[0].candidate.held_by = Some("sunmill (pid 42)".into());
    facts.ports[0].candidate.configured_for = Some("this machine".into());
    assert!(assess(&facts).iter().all(|finding| finding.level == Level::Ok), "its own hub may have it");
}

#[test]
fn who_may_open_a_device() {
    let found = one(|f| f.ports[0].allowed = false);
    says(found, (Level::Warning, "ports"), &["may not open it", "sudo usermod -aG dialout pi"]);
    let found = one(|f| {
        f.ports[0].allowed = false;
        f.ports[0].group = "uucp".into();
        f.ports[0].candidate.configured_for = Some("this machine".into());
    });
    says(found, (Level::Problem, "ports"), &["usermod -aG uucp pi"]);
    let found = one(|f| {
        f.ports[0].allowed = false;
        f.ports[0].group.clear();
    });
    assert!(!found.2.contains("usermod"), "root's group is not to be joined: {}", found.2);
    says(found, (Level::Warning, "ports"), &["udev rule", "GROUP=\"dialout\"", "60-sunmill.rules"]);
    let mut facts = well();
    facts.user.groups = vec!["pi".into()];
    facts.user.serial_group = None;
    assert!(assess(&facts).iter().all(|finding| finding.level == Level::Ok), "there is no such group to join");
    let found = one(|f| f.user.groups.retain(|group| group != "dialout"));
    says(found, (Level::Warning, "groups"), &["not in dialout", "usermod -aG dialout pi", "log out"]);
    let found = one(|f| {
        f.user.groups.retain(|group| group != "dialout");
        f.user.listed = vec!["dialout".into()];
    });
    says(found, (Level::Warning, "groups"), &["log out and in again", "older than that"]);
    let found = one(|f| f.user.has_sunmill = true);
    says(found, (Level::Warning, "groups"), &["not in sunmill", "usermod -aG sunmill pi"]);
}

#[test]
fn who_else_opens_devices() {
    let runs = |name: &str| vec![Intruder { name: name.into(), pid: 7 }];
    let found = one(|f| f.intruders = runs("ModemManager"));
    says(found, (Level::Warning, "others"), &["to /dev/ttyUSB0", "disable --now ModemManager", "60-sunmill.rules"]);
    let mut facts = well();
    facts.intruders = runs("ModemManager");
    facts.ports[0].modem_ignored = true;
    assert!(assess(&facts).iter().any(|finding| finding.level == Level::Ok && finding.what.contains("kept away")));
    says(one(|f| f.intruders = runs("brltty")), (Level::Warning, "others"), &["CH340", "disable --now brltty"]);
    says(one(|f| f.intruders = runs("gpsd")), (Level::Warning, "others"), &["USBAUTO"]);
    let found = one(|f| f.ports[0].brltty_rule = Some("/usr/lib/udev/rules.d/85-brltty.rules".into()));
    says(found, (Level::Problem, "others"), &["85-brltty.rules gives /dev/ttyUSB0", "apt remove brltty"]);
}

#[test]
fn places_of_sockets() {
    let at = |state: SocketState| move |f: &mut Facts| f.sockets[0].state = state;
    let answers = || SocketState::Answers { server: "sunmill 0.1.0".into(), machine: "sim".into() };
    says(one(at(SocketState::Stale)), (Level::Warning, "socket"), &["left behind", "clears it away"]);
    says(one(at(SocketState::NoSocket)), (Level::Problem, "socket"), &["is no socket", "name another place"]);
    says(one(at(SocketState::NotAllowed)), (Level::Warning, "socket"), &["may not attach", "group"]);
    says(
        one(at(SocketState::Strange("another version".into()))),
        (Level::Problem, "socket"),
        &["another version", "same version"],
    );
    says(one(|f| f.sockets.clear()), (Level::Warning, "socket"), &["nobody can attach", "SUNMILL_SOCKET"]);
    let found = one(|f| f.sockets[0] = Socket { state: answers(), open_to_all: true, ..f.sockets[0].clone() });
    says(found, (Level::Warning, "socket"), &["everybody", "chmod 0660 /run/sunmill.sock"]);
    let found = one(|f| {
        f.sockets[0].state = answers();
        f.sockets.push(Socket { path: "/other.sock".into(), ..f.sockets[0].clone() });
    });
    says(found, (Level::Warning, "socket"), &["two hubs", "not to /other.sock"]);
}

#[test]
fn disks() {
    says(one(|f| f.store.trouble = Some("malformed".into())), (Level::Problem, "database"), &["malformed", "aside"]);
    says(one(|f| f.store.unwritable = Some("denied".into())), (Level::Problem, "database"), &["denied", "store.path"]);
    says(one(|f| f.store.free_bytes = Some(MIB)), (Level::Problem, "database"), &["full", "1.0 MiB"]);
    says(one(|f| f.log.free_bytes = Some(100 * MIB)), (Level::Warning, "log"), &["100.0 MiB free"]);
    says(one(|f| f.log.path = None), (Level::Warning, "log"), &["log.folder"]);
}

#[test]
fn clocks() {
    says(one(|f| f.clock.year = 1970), (Level::Problem, "clock"), &["1970", "set-ntp"]);
    says(one(|f| f.clock.synchronised = None), (Level::Warning, "clock"), &["nothing sets it"]);
    let found = one(|f| {
        f.clock.synchronised = Some(false);
        f.clock.service = Some("systemd-timesyncd".into());
    });
    says(found, (Level::Warning, "clock"), &["not set the clock yet"]);
}

#[test]
fn terminals() {
    says(one(|f| f.terminal.size = Some((50, 24))), (Level::Warning, "terminal"), &["50x24 is too small", "60x18"]);
    says(one(|f| f.terminal.utf8 = false), (Level::Warning, "terminal"), &["ASCII", "LANG"]);
    says(one(|f| f.terminal.term = "dumb".into()), (Level::Warning, "terminal"), &["told in lines"]);
    says(one(|f| f.terminal.multiplexed = true), (Level::Warning, "terminal"), &["tmux", "latched"]);
    says(one(|f| f.terminal.key_releases = Some(false)), (Level::Warning, "terminal"), &["repeats cease", "kitty"]);
    says(one(|f| f.terminal.key_releases = None), (Level::Warning, "terminal"), &["does not answer"]);
    says(one(|f| f.terminal.term = "linux".into()), (Level::Warning, "terminal"), &["usermod -aG input pi", "kbdrate"]);
    let mut facts = well();
    facts.terminal = Terminal::default();
    assert!(assess(&facts).iter().all(|finding| finding.level == Level::Ok), "no terminal is no fault");
}
