//! What goes into the store and comes back from it at the next start. Without one nothing is kept.

use std::collections::BTreeMap;

use super::memory::{DEVICE, ENERGIES, Memory};
use crate::model::power::{Sample, Saved};
use crate::store::{ENABLED, OFF, Reader, Store, StoreError};

/// The hub's hold on the store, for inverters. Writing never waits.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    store: Option<Store>,
}

impl Kept {
    pub(super) const fn new(store: Option<Store>) -> Self {
        Self { store }
    }

    /// A row of the history.
    pub(super) fn sample(&self, inverter: &str, row: Sample) {
        if let Some(store) = &self.store {
            store.power_sample(inverter, row);
        }
    }

    /// Who an inverter is, how it is used, and how often it was written. At once.
    pub(super) fn remember(&self, inverter: &str, memory: &Memory) {
        if let Some(store) = &self.store {
            store.remember(inverter, DEVICE, &memory.device_text(), true);
        }
    }

    /// Where its counters stand. With the next rows of the history.
    pub(super) fn remember_energies(&self, inverter: &str, memory: &Memory) {
        if let Some(store) = &self.store {
            store.remember(inverter, ENERGIES, &memory.energies_text(), false);
        }
    }

    /// Whether it is switched off, so that all together do not wait for it. At the start this goes with the next rows.
    pub(super) fn enabled(&self, inverter: &str, on: bool, urgent: bool) {
        if let Some(store) = &self.store {
            store.remember(inverter, ENABLED, if on { "" } else { OFF }, urgent);
        }
    }

    /// What a person set.
    pub(super) fn save(&self, inverter: &str, saved: &Saved) {
        if let Some(store) = &self.store {
            store.save_setting(inverter, saved.clone());
        }
    }

    /// It is called a drift no more.
    pub(super) fn forget(&self, inverter: &str, id: &str) {
        if let Some(store) = &self.store {
            store.forget_setting(inverter, id);
        }
    }
}

/// What is remembered of these inverters, and what people saved of each.
pub type Remembered = (BTreeMap<String, Memory>, BTreeMap<String, Vec<Saved>>);

/// Reads what is remembered of inverters. Blocks.
///
/// # Errors
/// The store cannot be read.
pub fn remembered<'a>(reader: &Reader, inverters: impl IntoIterator<Item = &'a str>) -> Result<Remembered, StoreError> {
    let (mut memories, mut saved) = Remembered::default();
    for inverter in inverters {
        let device = reader.memory(inverter, DEVICE)?;
        let energies = reader.memory(inverter, ENERGIES)?;
        memories.insert(inverter.to_owned(), Memory::from_texts(inverter, device.as_deref(), energies.as_deref()));
        saved.insert(inverter.to_owned(), reader.saved(inverter)?);
    }
    Ok((memories, saved))
}
