//! What is remembered of an inverter from one run of sunmill to the next.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::energy::Energies;
use crate::inverter::Learned;
use crate::inverter::budget::WriteBudget;

/// The key of [`Device`] in the store.
pub(super) const DEVICE: &str = "device";
/// The key of the counters of energy.
pub(super) const ENERGIES: &str = "energies";

/// What is remembered of one inverter, by its name in the configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory {
    /// What must not be lost.
    pub device: Device,
    /// Where its energy counters stood.
    pub energies: Energies,
}

/// Who it is, how it is used, and how often it was written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Device {
    /// Serial number of the device that was here. Another one is not written to before a person confirms it.
    pub serial: Option<String>,
    /// What it was seen to refuse.
    pub learned: Learned,
    /// A person switched it on or off. `None`: as configured.
    pub enabled: Option<bool>,
    /// Writes of the last 24 hours.
    pub budget: WriteBudget,
}

impl Memory {
    /// From what the store has. What cannot be read is forgotten, and said in the log.
    pub(super) fn from_texts(inverter: &str, device: Option<&str>, energies: Option<&str>) -> Self {
        Self { device: read(inverter, device), energies: read(inverter, energies) }
    }

    pub(super) fn device_text(&self) -> String {
        text(&self.device)
    }

    pub(super) fn energies_text(&self) -> String {
        text(&self.energies)
    }
}

fn read<T: DeserializeOwned + Default>(inverter: &str, text: Option<&str>) -> T {
    let read = text.map(serde_json::from_str).transpose();
    let read = read.inspect_err(|error| {
        tracing::error!(%error, inverter, "what was remembered of an inverter cannot be read");
    });
    read.ok().flatten().unwrap_or_default()
}

fn text<T: Serialize>(what: &T) -> String {
    // An empty text forgets what was there, which would be wrong at the next start.
    serde_json::to_string(what).unwrap_or_else(|error| {
        tracing::error!(%error, "what is to be remembered of an inverter cannot be written");
        String::new()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_back_and_an_unreadable_one_is_an_empty_one() {
        let device = Device { serial: Some("SE1".into()), enabled: Some(false), ..Device::default() };
        let mut memory = Memory { device, ..Memory::default() };
        memory.device.budget.record("soc_min", 5);
        memory.device.learned.refused.insert("pv3_power".into());
        let back = |device: &str| Memory::from_texts("roof", Some(device), Some(&memory.energies_text()));
        assert_eq!(back(&memory.device_text()), memory);
        assert_eq!(back("{\"serial\": 5}"), Memory::default());
        // One of an older sunmill lacks what came later.
        assert_eq!(back("{\"serial\": \"SE1\"}").device.serial.as_deref(), Some("SE1"));
        assert_eq!(Memory::from_texts("roof", None, None), Memory::default());
    }
}
