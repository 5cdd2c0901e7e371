//! Where a simulated machine is plugged in: what it draws is a load of the simulated inverter that feeds it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// An outlet. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct Outlet(Arc<AtomicU32>);

impl Outlet {
    /// The machine draws so much from now on, in watts.
    pub fn draw(&self, watts: f64) {
        self.0.store(watts.max(0.0).round() as u32, Ordering::Relaxed);
    }

    /// What is drawn, in watts.
    pub fn watts(&self) -> f64 {
        f64::from(self.0.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

    use super::*;
    use crate::inverter::profile::shipped;
    use crate::model::Firmware;
    use crate::model::power::Role;
    use crate::sim::inverter::{Framing, InverterOptions};
    use crate::sim::machine::Options;
    use crate::sim::serve::{Bus, in_process_on};

    #[tokio::test(start_paused = true)]
    async fn a_spindle_that_cuts_is_seen_in_the_load_of_the_inverter_and_a_machine_that_is_gone_is_none() {
        let outlet = Outlet::default();
        let profile = Arc::new(shipped("senergy").expect("it is there").expect("in order"));
        let bus = Bus::new(InverterOptions::new(profile, Framing::Rtu)).feeding(outlet.clone());
        let load = |bus: &Bus| bus.with(|inverter| inverter.number(Role::LoadPower)).unwrap();
        let second = async || tokio::time::advance(Duration::from_secs(1)).await;
        second().await;
        let house = load(&bus);
        let mut link =
            BufReader::new(in_process_on(Options { homed: true, ..Options::new(Firmware::Grbl) }, outlet.clone()));
        link.write_all(b"M3 S9000\nG91 G1 X5 F60\n").await.unwrap();
        let mut text = String::new();
        while text.matches("ok").count() < 2 {
            assert_ne!(link.read_line(&mut text).await.unwrap(), 0, "{text}");
        }
        second().await;
        second().await;
        let cutting = load(&bus);
        assert!(cutting > house + 1000.0, "{house} {cutting}");
        drop(link);
        while outlet.watts() > 0.0 {
            tokio::task::yield_now().await;
        }
        second().await;
        second().await;
        assert!((load(&bus) - house).abs() < 100.0, "{house} {}", load(&bus));
    }
}
