//! `sunmill ports`: the serial devices that could be a machine. Opens none.

use std::fmt::Write as _;
use std::path::PathBuf;

use color_eyre::eyre::WrapErr;

use super::exit::Failure;
use super::settings::Settings;
use crate::driver::discover::{self, Roots};
use crate::model::desk::{Candidate, PortName};
use crate::model::{BusPort, Endpoint};

/// What `ports` prints.
pub(super) fn listed(settings: &Settings, json: bool) -> Result<String, Failure> {
    let found = discover::list(&Roots::default(), &configured(settings));
    if json {
        let mut text = serde_json::to_string_pretty(&found).wrap_err("cannot write the list as JSON")?;
        text.push('\n');
        return Ok(text);
    }
    Ok(text(&found))
}

/// What the configuration uses, each with what it is for.
pub(super) fn configured(settings: &Settings) -> Vec<(PathBuf, String)> {
    let machine = match &settings.endpoint {
        Endpoint::Serial(path) => Some((path.clone(), "this machine".to_owned())),
        _ => None,
    };
    let buses = settings.config.bus.iter().filter_map(|bus| match settings.bus_port(&bus.port) {
        BusPort::Serial(path) => Some((path, format!("the bus {}", bus.name))),
        _ => None,
    });
    machine.into_iter().chain(buses).collect()
}

fn text(found: &[Candidate]) -> String {
    if found.is_empty() {
        return "no serial device is connected; check cable and power\n".to_owned();
    }
    let mut text = String::new();
    for candidate in found {
        let _ = writeln!(text, "{}", candidate.path.display());
        let device =
            if candidate.name == PortName::Tty { String::new() } else { format!("{}, ", candidate.device.display()) };
        let _ = writeln!(text, "    {device}{}", candidate.what());
        if let Some(taken) = candidate.taken() {
            let _ = writeln!(text, "    {taken}");
        }
        if candidate.name == PortName::Tty && candidate.usb.is_some() {
            let _ = writeln!(text, "    this name may go to another device at the next start");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::desk::Usb;

    #[test]
    fn each_device_says_what_it_is_and_who_has_it() {
        let usb = Usb { id: "1a86:7523".into(), product: "USB Serial".into(), serial: None };
        let candidate = Candidate {
            path: "/dev/serial/by-id/usb-1a86".into(),
            device: "/dev/ttyUSB0".into(),
            name: PortName::ById,
            usb: Some(usb),
            configured_for: None,
            held_by: Some("minicom (pid 42)".into()),
        };
        assert_eq!(
            text(&[candidate]),
            "/dev/serial/by-id/usb-1a86\n    /dev/ttyUSB0, USB Serial (1a86:7523)\n    in use by minicom (pid 42)\n"
        );
        assert!(text(&[]).contains("check cable"));
    }
}
