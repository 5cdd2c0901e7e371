//! What the Devices tab knows beside the snapshot: the list of serial devices, and what those picked have answered.

use std::path::PathBuf;

use crate::model::desk::{Answer, Candidate, PortAnswer, Query};

/// What the tab shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Page {
    /// The link and the serial devices.
    #[default]
    Ports,
    /// The hub's log.
    Log,
    /// Who is attached.
    Clients,
}

/// State of the tab.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Devices {
    /// What is shown.
    pub page: Page,
    /// The first client shown.
    pub top: usize,
    /// The devices; `None` until the list was asked for and has come.
    pub ports: Option<Vec<Candidate>>,
    /// The selected one.
    pub selected: usize,
    /// The one that is being asked.
    pub asking: Option<PathBuf>,
    /// The last answer of each that was asked.
    answers: Vec<(PathBuf, Result<PortAnswer, String>)>,
}

impl Devices {
    /// The selected device.
    pub fn current(&self) -> Option<&Candidate> {
        self.ports.as_ref()?.get(self.selected)
    }

    /// Moves the selection.
    pub fn select(&mut self, by: isize) {
        let last = self.ports.as_ref().map_or(0, Vec::len).saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(by).min(last);
    }

    /// Asks the selected device who it is.
    ///
    /// # Errors
    /// Why not: what is taken is never opened.
    pub fn ask(&mut self) -> Result<Query, String> {
        let port = self.current().ok_or("no device is selected")?;
        if let Some(taken) = port.taken() {
            return Err(format!("not opened: it is {taken}"));
        }
        if self.asking.is_some() {
            return Err("a device is being asked already".to_owned());
        }
        let path = port.path.clone();
        self.asking = Some(path.clone());
        Ok(Query::AskPort(path))
    }

    /// Takes an answer; one that is not about devices comes back.
    pub fn take(&mut self, answer: &Answer) -> Option<Result<String, String>> {
        match answer {
            Answer::Program(_) | Answer::Power(_) | Answer::Audit(_) => None,
            Answer::Ports(ports) => {
                // What was selected stays selected, wherever it stands now.
                let selected = self.current().map(|port| port.path.clone());
                self.selected = ports.iter().position(|port| Some(&port.path) == selected.as_ref()).unwrap_or_default();
                self.ports = Some(ports.clone());
                None
            }
            Answer::PortAsked { path, result } => {
                self.asking = None;
                self.answers.retain(|(asked, _)| asked != path);
                self.answers.push((path.clone(), result.clone()));
                None
            }
            Answer::Done(done) => {
                // A question that never reached the desk is over too.
                self.asking = None;
                Some(done.clone())
            }
        }
    }

    /// What a device has answered, in words.
    pub fn answer_of(&self, port: &Candidate) -> Option<&str> {
        let (_, result) = self.answers.iter().find(|(asked, _)| *asked == port.path)?;
        Some(match result {
            Ok(answer) => &answer.words,
            Err(why) => why,
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::model::desk::{PortName, Usb};

    /// A USB adapter that is free, one that is in use, and a port of the computer.
    pub(in crate::ui) fn ports() -> Vec<Candidate> {
        let usb = |product: &str| Usb { id: "1a86:7523".into(), product: product.into(), serial: None };
        let candidate = |path: &str, device: &str, name, usb| Candidate {
            path: path.into(),
            device: device.into(),
            name,
            usb,
            configured_for: None,
            held_by: None,
        };
        vec![
            candidate(
                "/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0",
                "/dev/ttyUSB0",
                PortName::ById,
                Some(usb("USB Serial")),
            ),
            Candidate {
                held_by: Some("minicom (pid 42)".into()),
                ..candidate("/dev/serial/by-path/usb-2", "/dev/ttyUSB1", PortName::ByPath, Some(usb("CP2102")))
            },
            candidate("/dev/ttyAMA0", "/dev/ttyAMA0", PortName::Tty, None),
        ]
    }

    #[test]
    fn only_a_free_device_that_a_person_picked_is_asked_and_one_at_a_time() {
        let mut devices = Devices::default();
        assert!(devices.ask().is_err(), "nothing is listed");
        assert_eq!(devices.take(&Answer::Ports(ports())), None);
        devices.select(1);
        assert!(devices.ask().unwrap_err().contains("minicom"));
        devices.select(-1);
        let path = ports()[0].path.clone();
        assert_eq!(devices.ask(), Ok(Query::AskPort(path.clone())));
        devices.select(9);
        assert_eq!(devices.selected, 2);
        assert!(devices.ask().unwrap_err().contains("already"));
        let answer = PortAnswer { identity: None, state: None, words: "FluidNC v4.0.5".into() };
        devices.take(&Answer::PortAsked { path, result: Ok(answer) });
        assert_eq!(devices.answer_of(&ports()[0]), Some("FluidNC v4.0.5"));
        assert!(devices.ask().is_ok());
    }

    #[test]
    fn the_selection_stays_on_its_device_when_the_list_changes() {
        let mut devices = Devices::default();
        devices.take(&Answer::Ports(ports()));
        devices.select(2);
        devices.take(&Answer::Ports(ports()[1..].to_vec()));
        assert_eq!(devices.current().unwrap().device, ports()[2].device);
        devices.take(&Answer::Ports(Vec::new()));
        assert_eq!((devices.selected, devices.current()), (0, None));
    }
}
