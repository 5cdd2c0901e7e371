//! Simulated inverters in this process, on a bus whose port is `sim`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::driver::bus::{Family, InProcessBus};
use crate::driver::transport::Stream;
use crate::hub::power::BusPlan;
use crate::inverter::Profile;
use crate::sim::InverterOptions;
use crate::sim::inverter::Framing;
use crate::sim::serve::{Bus, Outlet, connect_line};

/// The inverters of a bus, each of its own profile at its own address, at the present time of day. Their settings are kept in the
/// folder of state. One that says itself what it has is not simulated. The first of them feeds what is plugged in at `outlet`. To
/// be called in the runtime; reads the files.
pub(super) fn in_process(plan: &BusPlan, state: Option<&Path>, outlet: Option<Outlet>) -> InProcessBus {
    let units = plan.config.units.iter().zip(&plan.units);
    let mut inverters: Vec<Bus> = units
        .filter_map(|(config, known)| match &config.family {
            Family::Profile(profile) => {
                let file = state.map(|state| state.join(file_name(&known.name)));
                Some(simulated(profile.clone(), known.address, file))
            }
            Family::SunSpec | Family::Unusable(_) => None,
        })
        .collect();
    if let (Some(outlet), Some(first)) = (outlet, inverters.first_mut()) {
        *first = first.clone().feeding(outlet);
    }
    InProcessBus(Arc::new(move || Ok(Box::new(connect_line(&inverters)) as Box<dyn Stream>)))
}

fn simulated(profile: Arc<Profile>, unit: u8, file: Option<PathBuf>) -> Bus {
    let options = InverterOptions {
        unit: Some(unit),
        start: Some(jiff::Zoned::now().datetime()),
        ..InverterOptions::new(profile, Framing::Rtu)
    };
    let Some(file) = file else { return Bus::new(options) };
    if let Some(folder) = file.parent()
        && let Err(error) = std::fs::create_dir_all(folder)
    {
        tracing::warn!(%error, folder = %folder.display(), "no folder for the settings of a simulated inverter");
    }
    match Bus::with_state_file(options.clone(), &file) {
        Ok(bus) => bus,
        Err(error) => {
            tracing::warn!(%error, "a simulated inverter begins as delivered");
            Bus::new(options)
        }
    }
}

/// The file of an inverter's settings; any name makes one, and different names different ones.
fn file_name(name: &str) -> String {
    let safe: String = name
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' => char::from(byte).to_string(),
            other => format!("_{other:02x}"),
        })
        .collect();
    format!("sim_inverter_{safe}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_are_plain_and_different() {
        assert_eq!(file_name("simulated"), "sim_inverter_simulated");
        assert_eq!(file_name("../a b"), "sim_inverter__2e_2e_2fa_20b");
        assert_ne!(file_name("a b"), file_name("a_b"));
    }
}
