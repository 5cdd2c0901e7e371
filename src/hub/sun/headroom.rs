//! Whether an inverter has room for the surge of a spindle that starts. Pure.

use super::look::View;
use super::setup::SpindleNeed;
use super::watch::Leaf;
use crate::model::power::Role;
use crate::model::quantity::number;
use crate::model::sun::{Quantity, Truth};

/// The room, looked at again and again.
#[derive(Clone, Debug)]
pub(super) struct Headroom {
    pub(super) need: SpindleNeed,
    leaf: Leaf,
    /// There is room, so many watts; or why the spindle waits.
    pub(super) verdict: Result<f64, String>,
}

impl Headroom {
    pub(super) fn new(need: SpindleNeed) -> Self {
        Self { need, leaf: Leaf::default(), verdict: Err("the load has not been read yet".to_owned()) }
    }

    /// Looks at it again. What is not known is no room, and one reading alone may be noise.
    pub(super) fn look(&mut self, view: &View<'_>) {
        let need = self.need.surge_w;
        let load = view.load_now();
        let spare = self.rated(view).and_then(|rated| {
            let load = load.value.map_err(|why| format!("the load is not known ({why})"))?;
            Ok((rated, rated - load))
        });
        // A reading without room begins anew: after it one with room is one alone.
        let is_enough = spare.as_ref().is_ok_and(|(_, spare)| *spare >= need);
        let enough = if is_enough { Truth::True } else { Truth::Unknown };
        let sure = self.leaf.take(enough, load.at);
        self.verdict = spare.and_then(|(rated, spare)| {
            let words = format!("{} W spare of {} W, {} W needed", whole(spare), whole(rated), whole(need));
            match (sure, spare >= need) {
                (Truth::True, true) => Ok(spare),
                (_, true) => Err(format!("{words}; the next reading has to say so too")),
                (_, false) => Err(words),
            }
        });
    }

    fn rated(&self, view: &View<'_>) -> Result<f64, String> {
        if let Some(rated) = self.need.rated_w {
            return Ok(rated);
        }
        view.quantity(Quantity::Role(Role::RatedPower))
            .value
            .map_err(|why| format!("the rated power is not known ({why}); rated_w in [spindle] of config.toml says it"))
    }
}

/// To ten watts: what flickers is no news.
fn whole(watts: f64) -> String {
    number((watts / 10.0).round() * 10.0)
}
