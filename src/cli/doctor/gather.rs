//! Looks at this computer. Judges nothing, opens no device, changes nothing.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::Access;

use super::facts::{ConfigFacts, Configured, Facts, Intruder, Port, Socket, SocketState, User};
use super::{system, tcp, terminal};
use crate::attach::client::Me;
use crate::attach::{ConnectError, connect};
use crate::cli::environment::Environment;
use crate::cli::fleet::fleet;
use crate::cli::ports::configured;
use crate::cli::settings::{BadSettings, Settings};
use crate::cli::socket;
use crate::driver::discover::{self, Roots};
use crate::model::Endpoint;
use crate::model::desk::Candidate;

/// Programs that open serial devices which are not theirs.
const INTRUDERS: [&str; 3] = ["ModemManager", "brltty", "gpsd"];
/// Where udev's rules are.
const RULES: [&str; 4] = ["/etc/udev/rules.d", "/run/udev/rules.d", "/usr/lib/udev/rules.d", "/lib/udev/rules.d"];

/// All facts. Where the configuration has a mistake, the rest holds for the defaults.
pub(super) fn gather(settings: Result<Settings, BadSettings>, environment: &Environment) -> Facts {
    let (settings, mistake, unread) = match settings {
        Ok(settings) => (settings, None, false),
        Err(why) => (Settings::built_in(environment), Some(why.to_string()), why.is_about_reading()),
    };
    let user = user();
    let serial = configured(&settings);
    let candidates = discover::list(&Roots::default(), &serial);
    let serial = serial.into_iter().map(|(path, what)| {
        let device = path.canonicalize().ok();
        Configured { what, allowed: may_open(&path), device, path }
    });
    let config = ConfigFacts {
        source: settings.source.to_string(),
        unusable: fleet(&settings).unusable().iter().map(|(name, why)| format!("inverter {name:?}: {why}")).collect(),
        serial: serial.collect(),
        machine: settings.endpoint.to_string(),
        simulated: settings.endpoint == Endpoint::Sim && settings.config.machine.port.is_none(),
        mistake,
        unread,
    };
    Facts {
        config,
        ports: candidates.into_iter().map(port).collect(),
        intruders: intruders(),
        sockets: socket::places(&settings).into_iter().map(socket).collect(),
        tcp: tcp::look(&settings),
        store: system::store(settings.store_file.clone()),
        log: system::log(settings.log_folder.clone()),
        clock: system::clock(),
        terminal: terminal::look(environment, settings.look.colour),
        user,
    }
}

fn may_open(path: &Path) -> bool {
    rustix::fs::access(path, Access::READ_OK | Access::WRITE_OK).is_ok()
}

fn user() -> User {
    let uid = rustix::process::getuid();
    let name =
        column(&read("/etc/passwd"), &uid.as_raw().to_string()).unwrap_or_else(|| format!("uid {}", uid.as_raw()));
    let all = read("/etc/group");
    let mut groups: Vec<u32> =
        rustix::process::getgroups().unwrap_or_default().iter().map(|gid| gid.as_raw()).collect();
    groups.push(rustix::process::getegid().as_raw());
    User {
        root: uid.is_root(),
        groups: groups.iter().map(|gid| group_name(&all, *gid)).collect(),
        listed: listed(&all, &name),
        has_sunmill: has_group(&all, "sunmill"),
        serial_group: ["dialout", "uucp"].into_iter().find(|name| has_group(&all, name)).map(str::to_owned),
        name,
    }
}

/// The name that a file such as `/etc/passwd` has for this number.
fn column(table: &str, number: &str) -> Option<String> {
    table.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == number).then(|| name.to_owned())
    })
}

fn group_name(table: &str, gid: u32) -> String {
    column(table, &gid.to_string()).unwrap_or_else(|| gid.to_string())
}

fn has_group(table: &str, name: &str) -> bool {
    table.lines().any(|line| line.split(':').next() == Some(name))
}

/// The group whose members may use something with this owner and mode. Root's is none: who joins it may do everything.
fn joinable(table: &str, gid: u32, mode: u32) -> Option<String> {
    (gid != 0 && mode & 0o060 == 0o060).then(|| column(table, &gid.to_string())).flatten()
}

/// Groups that name this user among their members.
fn listed(table: &str, user: &str) -> Vec<String> {
    let is_member = |line: &&str| line.rsplit(':').next().is_some_and(|all| all.split(',').any(|one| one == user));
    table.lines().filter(is_member).filter_map(|line| line.split(':').next()).map(str::to_owned).collect()
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn port(candidate: Candidate) -> Port {
    let device = &candidate.device;
    let numbers = device.file_name().map(|tty| read(Path::new("/sys/class/tty").join(tty).join("dev")));
    // What udev has written down of the device, its rules applied.
    let udev = numbers.map(|numbers| read(format!("/run/udev/data/c{}", numbers.trim()))).unwrap_or_default();
    Port {
        by_path: links_to("/dev/serial/by-path", device),
        allowed: may_open(device),
        group: fs::metadata(device)
            .ok()
            .and_then(|of| joinable(&read("/etc/group"), of.gid(), of.permissions().mode()))
            .unwrap_or_default(),
        modem_ignored: udev.lines().any(|line| line == "E:ID_MM_DEVICE_IGNORE=1"),
        brltty_rule: candidate.usb.as_ref().and_then(|usb| brltty_rule(&RULES.map(PathBuf::from), &usb.id)),
        candidate,
    }
}

fn links_to(folder: &str, device: &Path) -> Option<PathBuf> {
    let links = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    links.filter(|link| link.canonicalize().is_ok_and(|to| to == device)).min_by_key(|link| link.as_os_str().len())
}

/// A rule of brltty that is in force and names this device (`vendor:product`).
fn brltty_rule(folders: &[PathBuf], usb: &str) -> Option<PathBuf> {
    let (vendor, product) = usb.split_once(':')?;
    let joined = format!("{vendor}/{product}/");
    let names = |line: &str| {
        let line = line.trim_start().to_lowercase();
        !line.starts_with('#') && (line.contains(&joined) || line.contains(vendor) && line.contains(product))
    };
    let files = folders.iter().flat_map(|folder| fs::read_dir(folder).into_iter().flatten().flatten());
    let mut files: Vec<PathBuf> = files.map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "rules"));
    files.into_iter().find(|path| path.display().to_string().contains("brltty") && read(path).lines().any(names))
}

fn intruders() -> Vec<Intruder> {
    let mut found: Vec<Intruder> = system::processes()
        .filter(|(name, _)| INTRUDERS.contains(&name.as_str()))
        .map(|(name, pid)| Intruder { name, pid })
        .collect();
    found.sort_by(|a, b| (&a.name, a.pid).cmp(&(&b.name, b.pid)));
    found.dedup_by(|a, b| a.name == b.name);
    found
}

fn socket(path: PathBuf) -> Socket {
    let metadata = fs::metadata(&path);
    let open_to_all =
        metadata.as_ref().is_ok_and(|of| of.file_type().is_socket() && of.permissions().mode() & 0o002 != 0);
    let state = match metadata {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => SocketState::NotAllowed,
        Err(_) => SocketState::Absent,
        Ok(of) if !of.file_type().is_socket() => SocketState::NoSocket,
        Ok(_) => greeted(&path),
    };
    Socket { path, state, open_to_all }
}

fn greeted(path: &Path) -> SocketState {
    let me = Me { program: concat!("sunmill ", env!("CARGO_PKG_VERSION"), " doctor").to_owned(), ..Me::default() };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return SocketState::Strange(format!("it cannot be told: {error}")),
    };
    match runtime.block_on(connect(path, me)) {
        Ok(attached) => SocketState::Answers {
            machine: attached.hub.snapshot().machine.link.endpoint.clone(),
            server: attached.server,
        },
        Err(ConnectError::Nobody { .. }) => SocketState::Stale,
        Err(ConnectError::NotAllowed { .. }) => SocketState::NotAllowed,
        Err(ConnectError::Strange { why, .. }) => SocketState::Strange(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_read_by_number_and_by_member() {
        let table = "root:x:0:\ndialout:x:20:pi,anna\nsunmill:x:998:anna\npi:x:1000:\n";
        assert_eq!((group_name(table, 20), group_name(table, 5)), ("dialout".to_owned(), "5".to_owned()));
        assert_eq!(listed(table, "anna"), ["dialout", "sunmill"]);
        assert_eq!(listed(table, "ann"), Vec::<String>::new());
        assert!(has_group(table, "dialout") && !has_group(table, "uucp") && !has_group(table, "dial"));
        assert_eq!(joinable(table, 20, 0o100_660).as_deref(), Some("dialout"));
        assert_eq!(joinable(table, 20, 0o100_600), None, "its members may not");
        assert_eq!(joinable(table, 0, 0o100_660), None, "root's own group is not to be joined");
    }

    #[test]
    fn a_rule_of_brltty_counts_where_it_is_in_force_and_names_the_device() {
        let folder = tempfile::tempdir().unwrap();
        let rule = folder.path().join("85-brltty.rules");
        let folders = [folder.path().to_owned()];
        fs::write(&rule, "# ENV{PRODUCT}==\"1a86/7523/*\"\nENV{PRODUCT}==\"10C4/EA60/*\", GOTO=\"x\"\n").unwrap();
        assert_eq!(brltty_rule(&folders, "1a86:7523"), None, "commented out");
        assert_eq!(brltty_rule(&folders, "10c4:ea60"), Some(rule.clone()));
        fs::write(&rule, "ATTRS{idVendor}==\"1a86\", ATTRS{idProduct}==\"7523\"\n").unwrap();
        assert_eq!(brltty_rule(&folders, "1a86:7523"), Some(rule.clone()));
        fs::rename(&rule, folder.path().join("85-brltty.rules.off")).unwrap();
        assert_eq!(brltty_rule(&folders, "1a86:7523"), None);
    }

    #[test]
    fn a_socket_that_was_left_behind_is_told_from_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sunmill.sock");
        assert_eq!(socket(path.clone()).state, SocketState::Absent);
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert_eq!(socket(path).state, SocketState::Stale);
        let file = folder.path().join("notes.txt");
        fs::write(&file, "").unwrap();
        assert_eq!(socket(file).state, SocketState::NoSocket);
        assert_eq!(socket(folder.path().to_owned()).state, SocketState::NoSocket);
    }
}
