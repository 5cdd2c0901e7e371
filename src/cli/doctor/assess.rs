//! What was seen, judged. Pure.

mod tcp;

use std::fmt::Write as _;

use super::facts::{Colours, Configured, Facts, Intruder, Kept, Port, Socket, SocketState, Terminal, User};
use super::finding::Finding;
use crate::model::desk::PortName;

/// The oldest year that a clock can rightly show.
const OLDEST_YEAR: i16 = 2025;
/// The smallest screen.
const SMALLEST: (u16, u16) = (60, 18);
const MIB: u64 = 1024 * 1024;
/// Less than this free is a warning.
const LITTLE: u64 = 200 * MIB;
/// Less than this free is a problem.
const NOTHING: u64 = 20 * MIB;

/// All findings, in the order in which they are best mended.
pub(super) fn assess(facts: &Facts) -> Vec<Finding> {
    let mut found = config(facts);
    found.extend(configured_ports(facts));
    found.extend(ports(facts));
    found.extend(groups(&facts.user));
    found.extend(intruders(facts));
    found.extend(sockets(&facts.sockets));
    let hub_runs = facts.sockets.iter().any(|socket| matches!(socket.state, SocketState::Answers { .. }));
    found.extend(facts.tcp.iter().flat_map(|tcp| tcp::tcp(tcp, hub_runs)));
    found.extend(kept("database", "history and journal", "store.path", &facts.store));
    found.extend(kept("log", "log files", "log.folder", &facts.log));
    found.extend(clock(facts));
    found.extend(terminal(&facts.terminal, &facts.user));
    found
}

fn config(facts: &Facts) -> Vec<Finding> {
    const AREA: &str = "config";
    let config = &facts.config;
    if let Some(mistake) = &config.mistake {
        let remedy = if config.unread {
            "name one that can be read: --config, $SUNMILL_CONFIG, or none for the defaults, for which the rest here holds"
        } else {
            "mend that line; `sunmill config check` reads it again. The rest here holds for the defaults"
        };
        return vec![Finding::problem(AREA, mistake, remedy)];
    }
    let simulated = if config.simulated { ", because no port is set" } else { "" };
    let mut found = vec![Finding::ok(AREA, format!("{}: the machine is {}{simulated}", config.source, config.machine))];
    found.extend(config.unusable.iter().map(|why| {
        Finding::problem(
            AREA,
            why,
            "mend its [[inverter]] or [[bus]]; `sunmill inverter profiles list` names the profiles",
        )
    }));
    found
}

fn configured_ports(facts: &Facts) -> Vec<Finding> {
    let serial = &facts.config.serial;
    let one = |(index, configured): (usize, &Configured)| {
        let twice = serial[..index].iter().find(|other| other.device.is_some() && other.device == configured.device);
        configured_port(configured, twice, &facts.ports)
    };
    serial.iter().enumerate().filter_map(one).collect()
}

/// `twice`: the same device, configured for something else.
fn configured_port(configured: &Configured, twice: Option<&Configured>, ports: &[Port]) -> Option<Finding> {
    const AREA: &str = "port";
    let Configured { path, what, device, allowed } = configured;
    let shown = format!("{}, for {what}", path.display());
    let Some(device) = device else {
        let remedy = "plug it in, or see with `sunmill ports` which name it has now";
        return Some(Finding::problem(AREA, format!("{shown}, is not there"), remedy));
    };
    if let Some(other) = twice {
        let said = format!("{shown}, is configured for {} too", other.what);
        return Some(Finding::problem(AREA, said, "give each its own device: a serial line has one master"));
    }
    let Some(port) = ports.iter().find(|port| port.candidate.device == *device) else {
        let remedy = "see its owner and mode with `ls -l`";
        let bad = || Finding::problem(AREA, format!("{shown}: this user may not open it"), remedy);
        return Some(if *allowed { Finding::ok(AREA, shown.clone()) } else { bad() });
    };
    let best = &port.candidate.path;
    if path == device && best != path {
        let said = format!("{shown}, may be another device after the next start");
        return Some(Finding::warning(AREA, said, format!("write {} instead", best.display())));
    }
    let by_path = port.by_path.as_ref().filter(|_| path.starts_with("/dev/serial/by-id") && has_twin(port, ports))?;
    let said = format!("{shown}, is also the name of another device here");
    Some(Finding::problem(AREA, said, format!("write {} instead", by_path.display())))
}

/// Another device has the same maker and product, and neither has a serial number: by-id gives both one name.
fn has_twin(port: &Port, ports: &[Port]) -> bool {
    let Some(usb) = port.candidate.usb.as_ref().filter(|usb| usb.serial.is_none()) else { return false };
    ports.iter().any(|other| {
        other.candidate.device != port.candidate.device
            && other.candidate.usb.as_ref().is_some_and(|theirs| theirs.id == usb.id && theirs.serial.is_none())
    })
}

fn ports(facts: &Facts) -> Vec<Finding> {
    const AREA: &str = "ports";
    if facts.ports.is_empty() {
        let configured = !facts.config.serial.is_empty();
        let said = "no serial device is connected";
        return if configured {
            vec![Finding::problem(AREA, said, "check cable and power; `dmesg` tells what the computer saw")]
        } else {
            vec![Finding::ok(AREA, said)]
        };
    }
    let mut found: Vec<Finding> = facts.ports.iter().map(|port| one_port(port, &facts.user)).collect();
    if !facts.user.root && facts.ports.iter().any(|port| port.candidate.held_by.is_none()) {
        let said = "programs of other users that have a device open are not seen; `sudo sunmill doctor` sees them";
        found.push(Finding::ok(AREA, said));
    }
    found
}

fn one_port(port: &Port, user: &User) -> Finding {
    const AREA: &str = "ports";
    let candidate = &port.candidate;
    let mut what = candidate.path.display().to_string();
    if candidate.name != PortName::Tty {
        let _ = write!(what, " ({})", candidate.device.display());
    }
    let _ = write!(what, ", {}", candidate.what());
    if let Some(by_path) = port.by_path.as_ref().filter(|path| **path != candidate.path) {
        let _ = write!(what, ", in the socket {}", by_path.display());
    }
    if let Some(who) = &candidate.held_by {
        let _ = write!(what, ", in use by {who}");
        let ours = who.starts_with("sunmill");
        if candidate.configured_for.is_some() && !ours {
            return Finding::problem(AREA, what, "end that program, or configure another device");
        }
    }
    if let Some(whose) = &candidate.configured_for {
        let _ = write!(what, ", for {whose}");
    }
    if port.allowed {
        return Finding::ok(AREA, what);
    }
    let what = format!("{what}: this user may not open it");
    let remedy = if port.group.is_empty() {
        // Its group is root's, or may not: joining that would give everything, or nothing.
        let group = user.serial_group.as_deref().unwrap_or("sunmill");
        format!(
            "a udev rule that sets GROUP=\"{group}\", MODE=\"0660\"; assets/udev/60-sunmill.rules is an example of one"
        )
    } else {
        joining(user, &port.group)
    };
    if candidate.configured_for.is_some() {
        Finding::problem(AREA, what, remedy)
    } else {
        Finding::warning(AREA, what, remedy)
    }
}

/// How this user comes into a group.
fn joining(user: &User, group: &str) -> String {
    if user.listed.iter().any(|listed| listed == group) {
        return format!(
            "log out and in again: {} is in {group} already, but this session is older than that",
            user.name
        );
    }
    format!("sudo usermod -aG {group} {}, then log out and in again", user.name)
}

fn groups(user: &User) -> Vec<Finding> {
    const AREA: &str = "groups";
    let is_in = |group: &str| user.root || user.groups.iter().any(|of| of == group);
    let who = &user.name;
    let dialout = if user.root {
        Finding::ok(AREA, format!("{who} may open every device"))
    } else {
        match &user.serial_group {
            None => Finding::ok(AREA, "no group of serial devices (dialout, uucp) is known here: see each device"),
            Some(group) if is_in(group) => {
                Finding::ok(AREA, format!("{who} is in {group}: serial devices can be opened"))
            }
            Some(group) => {
                let said = format!("{who} is not in {group}, the usual group of serial devices");
                Finding::warning(AREA, said, joining(user, group))
            }
        }
    };
    let sunmill = match (user.has_sunmill, is_in("sunmill")) {
        (false, _) => Finding::ok(AREA, "there is no group sunmill; only sunmill as a service needs one"),
        (true, true) => Finding::ok(AREA, format!("{who} is in sunmill: the service can be attached to")),
        (true, false) => {
            let said = format!("{who} is not in sunmill, whose members can attach to the service");
            Finding::warning(AREA, said, joining(user, "sunmill"))
        }
    };
    vec![dialout, sunmill]
}

fn intruders(facts: &Facts) -> Vec<Finding> {
    const AREA: &str = "others";
    let mut found: Vec<Finding> =
        facts.intruders.iter().filter_map(|intruder| intrusion(intruder, &facts.ports)).collect();
    for port in &facts.ports {
        if let Some(rule) = &port.brltty_rule {
            let said =
                format!("{} gives {} to brltty (Braille displays)", rule.display(), port.candidate.device.display());
            let remedy = "sudo apt remove brltty, or comment that line out; then plug the device in again";
            found.push(Finding::problem(AREA, said, remedy));
        }
    }
    if found.is_empty() {
        found.push(Finding::ok(AREA, "no ModemManager, brltty or gpsd gets in the way of a serial device"));
    }
    found
}

fn intrusion(intruder: &Intruder, ports: &[Port]) -> Option<Finding> {
    const AREA: &str = "others";
    let Intruder { name, pid } = intruder;
    match name.as_str() {
        "ModemManager" => {
            let open: Vec<String> = ports
                .iter()
                .filter(|port| !port.modem_ignored)
                .map(|port| port.candidate.device.display().to_string())
                .collect();
            if open.is_empty() && !ports.is_empty() {
                return Some(Finding::ok(
                    AREA,
                    format!("ModemManager runs (pid {pid}) and is kept away from all serial devices"),
                ));
            }
            let which = if open.is_empty() { "new serial devices".to_owned() } else { open.join(", ") };
            let said = format!("ModemManager runs (pid {pid}) and sends modem commands to {which}");
            let remedy = "sudo systemctl disable --now ModemManager, or a udev rule: assets/udev/60-sunmill.rules";
            Some(Finding::warning(AREA, said, remedy))
        }
        "brltty" => {
            let said =
                format!("brltty (Braille displays) runs (pid {pid}) and takes devices with CH340 and CP210x chips");
            Some(Finding::warning(
                AREA,
                said,
                "without a Braille display: sudo systemctl disable --now brltty brltty-udev",
            ))
        }
        "gpsd" => {
            let said =
                format!("gpsd (GPS receivers) runs (pid {pid}) and opens serial devices that look like a receiver");
            let remedy = "set USBAUTO=\"false\" in /etc/default/gpsd, or sudo systemctl disable --now gpsd gpsd.socket";
            Some(Finding::warning(AREA, said, remedy))
        }
        _ => None,
    }
}

fn sockets(sockets: &[Socket]) -> Vec<Finding> {
    const AREA: &str = "socket";
    let mut found: Vec<Finding> = sockets.iter().filter_map(one_socket).collect();
    let answering: Vec<String> = sockets
        .iter()
        .filter(|socket| matches!(socket.state, SocketState::Answers { .. }))
        .map(|socket| socket.path.display().to_string())
        .collect();
    if let [first, second, ..] = answering.as_slice() {
        let said = format!("two hubs run: screens and scripts attach to {first}, not to {second}");
        found.push(Finding::warning(AREA, said, "name the other with --socket or $SUNMILL_SOCKET, or end it"));
    }
    if sockets.is_empty() {
        let said = "no place for a socket is known, so nobody can attach";
        found.push(Finding::warning(
            AREA,
            said,
            "give --socket, or set $SUNMILL_SOCKET; a login session sets $XDG_RUNTIME_DIR",
        ));
    } else if found.is_empty() {
        let places: Vec<String> = sockets.iter().map(|socket| socket.path.display().to_string()).collect();
        found.push(Finding::ok(AREA, format!("no sunmill runs now ({})", places.join(", "))));
    }
    found
}

fn one_socket(socket: &Socket) -> Option<Finding> {
    const AREA: &str = "socket";
    let at = socket.path.display();
    Some(match &socket.state {
        SocketState::Absent => return None,
        SocketState::Answers { server, machine } if socket.open_to_all => {
            let said = format!("{server} runs {machine} on {at}, which everybody on this computer may use");
            Finding::warning(AREA, said, format!("chmod 0660 {at}; a systemd socket unit needs SocketMode=0660"))
        }
        SocketState::Answers { server, machine } => Finding::ok(AREA, format!("{server} runs {machine} on {at}")),
        SocketState::Stale => {
            let said = format!("{at} was left behind by a sunmill that ended without clearing up");
            Finding::warning(
                AREA,
                said,
                "nothing: the next sunmill there clears it away. What the last one ran stands in `sunmill programs history`",
            )
        }
        SocketState::NoSocket => Finding::problem(
            AREA,
            format!("{at} is no socket, so no sunmill can serve there"),
            "name another place with --socket or $SUNMILL_SOCKET, or move it away",
        ),
        SocketState::NotAllowed => {
            let said = format!("a sunmill may run on {at}, but this user may not attach");
            Finding::warning(AREA, said, "join its group (`ls -l` shows which), then log out and in again")
        }
        SocketState::Strange(why) => Finding::problem(
            AREA,
            format!("{at}: {why}"),
            "use the same version at both ends: restart the sunmill that runs there",
        ),
    })
}

fn kept(area: &'static str, what: &str, setting: &str, kept: &Kept) -> Vec<Finding> {
    let Some(path) = &kept.path else {
        let said = format!("there is no home folder, so {what} are not kept");
        return vec![Finding::warning(area, said, format!("set {setting} in config.toml"))];
    };
    let at = path.display();
    let mut found = Vec::new();
    if let Some(why) = &kept.trouble {
        let remedy = "the next sunmill sets a damaged file aside and begins anew; copy it first if its history matters";
        found.push(Finding::problem(area, format!("{at}: {why}"), remedy));
    } else if let Some(why) = &kept.unwritable {
        found.push(Finding::problem(
            area,
            format!("{at} cannot be written: {why}"),
            format!("mend its owner or mode, or set {setting}"),
        ));
    } else if kept.exists {
        found.push(Finding::ok(area, format!("{at} is sound, {}", size(kept.bytes))));
    } else {
        found.push(Finding::ok(area, format!("{at} will be made at the first start")));
    }
    match kept.free_bytes {
        Some(free) if free < NOTHING => {
            let said = format!("the disk is full: {} free at {at}", size(free));
            found.push(Finding::problem(area, said, "free some; programs run on, but nothing is written down of them"));
        }
        Some(free) if free < LITTLE => {
            found.push(Finding::warning(
                area,
                format!("{} free at {at}", size(free)),
                "free some before a long program",
            ));
        }
        _ => {}
    }
    found
}

/// In words.
pub(super) fn size(bytes: u64) -> String {
    if bytes >= 1024 * MIB {
        format!("{:.1} GiB", bytes as f64 / (1024 * MIB) as f64)
    } else if bytes >= MIB {
        format!("{:.1} MiB", bytes as f64 / MIB as f64)
    } else {
        format!("{} KiB", bytes.div_ceil(1024))
    }
}

fn clock(facts: &Facts) -> Vec<Finding> {
    const AREA: &str = "clock";
    let clock = &facts.clock;
    if !(OLDEST_YEAR..2100).contains(&clock.year) {
        let said = format!("it shows the year {}: history, audit and energy by the day would be wrong", clock.year);
        let remedy = "set it: `sudo timedatectl set-ntp true` with a network, `sudo date -s …` without. A Pi without a \
                      clock of its own starts in the past";
        return vec![Finding::problem(AREA, said, remedy)];
    }
    vec![match (clock.synchronised, &clock.service) {
        (Some(true), _) => Finding::ok(AREA, "it is set by a time server"),
        (None, Some(service)) => Finding::ok(AREA, format!("{service} sets it; whether it has is not told to users")),
        (Some(false), Some(service)) => {
            let said = format!("{service} runs, but has not set the clock yet");
            Finding::warning(AREA, said, "see `timedatectl`; it needs a network")
        }
        (_, None) => {
            let said = "nothing sets it, so times in history and audit drift";
            Finding::warning(AREA, said, "sudo timedatectl set-ntp true, or install chrony")
        }
    }]
}

fn terminal(terminal: &Terminal, user: &User) -> Vec<Finding> {
    const AREA: &str = "terminal";
    if !terminal.present {
        return vec![Finding::ok(AREA, "not looked at: this is not run in a terminal")];
    }
    let mut found = Vec::new();
    if matches!(terminal.term.as_str(), "" | "dumb") {
        let said = format!("TERM={}: the screen cannot be drawn, and is told in lines instead", terminal.term);
        found.push(Finding::warning(
            AREA,
            said,
            "use another terminal, or set TERM to what it is, such as xterm-256color",
        ));
    }
    let through = if terminal.ssh { ", through SSH" } else { "" };
    match terminal.size {
        Some((columns, rows)) if columns < SMALLEST.0 || rows < SMALLEST.1 => {
            let said = format!("{columns}x{rows} is too small for the screen");
            found.push(Finding::warning(AREA, said, "make it 60x18 or larger; 80x24 shows all that matters"));
        }
        Some((columns, rows)) => {
            found.push(Finding::ok(AREA, format!("{} of {columns}x{rows}{through}", terminal.term)));
        }
        None => {}
    }
    let linux = terminal.term == "linux";
    if terminal.utf8 || linux {
        found.push(Finding::ok(
            AREA,
            if terminal.utf8 { "UTF-8" } else { "ASCII, as the Linux console's font wants it" },
        ));
    } else {
        let said = "the locale is not UTF-8, so the screen is drawn in ASCII";
        found.push(Finding::warning(
            AREA,
            said,
            "set LANG to a UTF-8 locale such as C.UTF-8, or leave it: nothing is lost",
        ));
    }
    let colours = match (terminal.colour, terminal.colours) {
        (false, _) => "no colours; nothing is told by colour alone",
        (true, Colours::Sixteen) => "16 colours: themes light and dark need 256",
        (true, Colours::Many) => "256 colours",
        (true, Colours::True) => "16 million colours",
    };
    found.push(Finding::ok(AREA, colours));
    found.push(key_releases(terminal, user));
    found
}

fn key_releases(terminal: &Terminal, user: &User) -> Finding {
    const AREA: &str = "terminal";
    if terminal.multiplexed {
        let said = "tmux, screen or zellij is in between: a jog ends when repeats cease (up to 300 ms), and there is no latched jog";
        return Finding::warning(AREA, said, "jog from a terminal without one, where that matters");
    }
    if terminal.term == "linux" && !terminal.ssh {
        return if terminal.reads_keyboard {
            Finding::ok(AREA, "the Linux console; a jog stops when the key is let go")
        } else {
            let said = "the Linux console does not tell when a key is let go: a jog ends when repeats cease";
            let remedy = format!("{}; or `kbdrate -r 30 -d 250` for faster repeats", joining(user, "input"));
            Finding::warning(AREA, said, remedy)
        };
    }
    match terminal.key_releases {
        Some(true) => Finding::ok(AREA, "it tells when a key is let go (kitty keyboard protocol): a jog stops at once"),
        Some(false) => {
            let said = "it does not tell when a key is let go: a jog ends when repeats cease (up to 300 ms)";
            Finding::warning(
                AREA,
                said,
                "kitty, foot, WezTerm, Ghostty and Alacritty do; a tap is one step in every terminal",
            )
        }
        None => {
            let said = "it does not answer when asked what it can do";
            Finding::warning(
                AREA,
                said,
                "nothing, or another terminal: it is treated as one that reports no released keys",
            )
        }
    }
}

#[cfg(test)]
mod tests;
