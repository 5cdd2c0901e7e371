//! Which serial devices could be a machine. Reads names only: no device is opened here.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::transport::Holder;
use crate::model::desk::{Candidate, PortName, Usb};

/// Where the system lists its devices.
#[derive(Clone, Debug)]
pub struct Roots {
    /// `/dev`.
    pub dev: PathBuf,
    /// `/sys/class/tty`.
    pub tty: PathBuf,
}

impl Default for Roots {
    fn default() -> Self {
        Self { dev: "/dev".into(), tty: "/sys/class/tty".into() }
    }
}

/// The serial devices, each once, by the name that lasts longest. `configured` is what the configuration holds, each path
/// with what it is for. Reads all of `/proc`: not for the runtime's threads.
pub fn list(roots: &Roots, configured: &[(PathBuf, String)]) -> Vec<Candidate> {
    let mut names: BTreeMap<PathBuf, (PortName, PathBuf)> = BTreeMap::new();
    for (folder, name) in [("serial/by-id", PortName::ById), ("serial/by-path", PortName::ByPath)] {
        for path in entries(&roots.dev.join(folder)) {
            if let Ok(device) = path.canonicalize() {
                names.entry(device).or_insert((name, path));
            }
        }
    }
    for tty in entries(&roots.tty).iter().filter(|tty| is_wired(tty)) {
        let path = tty.file_name().map(|name| roots.dev.join(name));
        if let Some(device) = path.and_then(|path| path.canonicalize().ok()) {
            names.entry(device.clone()).or_insert((PortName::Tty, device));
        }
    }
    let configured: Vec<_> =
        configured.iter().map(|(path, what)| (path.canonicalize().unwrap_or_else(|_| path.clone()), what)).collect();
    let mut found: Vec<Candidate> = names
        .into_iter()
        .map(|(device, (name, path))| Candidate {
            usb: device.file_name().and_then(|tty| usb(&roots.tty.join(tty))),
            configured_for: configured.iter().find(|(path, _)| *path == device).map(|(_, what)| (*what).clone()),
            held_by: Holder::of_device(&device).map(|holder| holder.to_string()),
            path,
            device,
            name,
        })
        .collect();
    found.sort_by(|a, b| (a.name, &a.path).cmp(&(b.name, &b.path)));
    found
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    // By-path names a USB device twice; the shorter name is the older and better known form.
    paths.sort_by_key(|path| (path.as_os_str().len(), path.clone()));
    paths
}

/// There is hardware behind it. The kernel lists UARTs that a computer could have; those it has not are of type 0.
fn is_wired(tty: &Path) -> bool {
    let is_missing_uart = fs::read_to_string(tty.join("type")).is_ok_and(|kind| kind.trim() == "0");
    tty.join("device").exists() && !is_missing_uart
}

/// The USB device that a tty belongs to: the nearest folder above it that has a vendor.
fn usb(tty: &Path) -> Option<Usb> {
    let interface = tty.join("device").canonicalize().ok()?;
    let device = interface.ancestors().take(6).find(|folder| folder.join("idVendor").exists())?;
    let read = |name: &str| {
        let text = fs::read_to_string(device.join(name)).ok()?;
        let text: String = text.trim().chars().map(|c| if c.is_control() { '.' } else { c }).collect();
        Some(text).filter(|text| !text.is_empty())
    };
    let words: Vec<String> = ["manufacturer", "product"].into_iter().filter_map(read).collect();
    Some(Usb {
        id: format!("{}:{}", read("idVendor")?, read("idProduct")?),
        product: if words.is_empty() { "USB device".to_owned() } else { words.join(" ") },
        serial: read("serial"),
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A `/dev` and `/sys` with a USB adapter, a native USB board and an on-board port; and a UART that is not there.
    fn system() -> (tempfile::TempDir, Roots) {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let roots = Roots { dev: root.join("dev"), tty: root.join("class") };
        let write = |path: &str, text: &str| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        for tty in ["ttyUSB0", "ttyACM0", "ttyAMA0", "ttyS0", "tty1"] {
            write(&format!("dev/{tty}"), "");
            write(&format!("class/{tty}/dev"), "4:1");
        }
        write("usb/1-1/idVendor", "1a86\n");
        write("usb/1-1/idProduct", "7523\n");
        write("usb/1-1/product", "USB Serial\n");
        fs::create_dir_all(root.join("usb/1-1/1-1:1.0/ttyUSB0")).unwrap();
        fs::create_dir_all(root.join("platform")).unwrap();
        symlink(root.join("usb/1-1/1-1:1.0/ttyUSB0"), root.join("class/ttyUSB0/device")).unwrap();
        for tty in ["ttyACM0", "ttyAMA0", "ttyS0"] {
            symlink(root.join("platform"), root.join("class").join(tty).join("device")).unwrap();
        }
        write("class/ttyS0/type", "0\n");
        for folder in ["by-id", "by-path"] {
            fs::create_dir_all(root.join("dev/serial").join(folder)).unwrap();
            symlink("../../ttyUSB0", root.join("dev/serial").join(folder).join("usb-1a86-port0")).unwrap();
        }
        symlink("../../ttyACM0", root.join("dev/serial/by-path/pci-1.0-usb-2")).unwrap();
        symlink("../../ttyACM0", root.join("dev/serial/by-path/pci-1.0-usbv2-2")).unwrap();
        symlink("../../gone", root.join("dev/serial/by-id/usb-gone")).unwrap();
        (dir, roots)
    }

    #[test]
    fn each_device_is_listed_once_by_its_best_name() {
        let (_dir, roots) = system();
        let found = list(&roots, &[]);
        let shown: Vec<_> = found
            .iter()
            .map(|c| (c.name, c.path.strip_prefix(&roots.dev).unwrap().to_str().unwrap().to_owned()))
            .collect();
        assert_eq!(
            shown,
            [
                (PortName::ById, "serial/by-id/usb-1a86-port0".to_owned()),
                (PortName::ByPath, "serial/by-path/pci-1.0-usb-2".to_owned()),
                (PortName::Tty, "ttyAMA0".to_owned()),
            ]
        );
        assert_eq!(found[0].what(), "USB Serial (1a86:7523)");
        assert_eq!((&found[2].usb, found[2].taken()), (&None, None));
    }

    #[test]
    fn what_is_configured_or_in_use_is_said_to_be() {
        let (_dir, roots) = system();
        let found = list(&roots, &[(roots.dev.join("ttyUSB0"), "the inverters".into())]);
        assert_eq!(found[0].taken().as_deref(), Some("configured for the inverters"), "found by another of its names");
        let mut cat = std::process::Command::new("cat")
            .stdin(std::process::Stdio::piped())
            .stdout(fs::File::options().append(true).open(roots.dev.join("ttyAMA0")).unwrap())
            .spawn()
            .unwrap();
        let taken = list(&roots, &[])[2].taken().unwrap();
        assert!(taken.starts_with("in use by cat"), "{taken}");
        drop(cat.stdin.take());
        cat.wait().unwrap();
    }

    #[test]
    fn a_system_without_devices_has_none() {
        let dir = tempfile::tempdir().unwrap();
        assert!(list(&Roots { dev: dir.path().join("dev"), tty: dir.path().join("class") }, &[]).is_empty());
    }
}
