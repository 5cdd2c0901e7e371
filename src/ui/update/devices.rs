//! Answers of the desk.

use crate::model::Time;
use crate::model::desk::Answer;
use crate::ui::console::Tone;
use crate::ui::state::{Effect, Ui};

/// Takes an answer: to the Devices tab what is about devices, to the person what was done or could not be.
pub(super) fn answer(ui: &mut Ui, answer: &Answer, now: Time) -> Vec<Effect> {
    match ui.devices.take(answer) {
        Some(Ok(done)) => {
            ui.console.say(done.clone(), Tone::Plain);
            ui.say(done, Tone::Plain, now);
        }
        Some(Err(why)) => {
            ui.console.say(why.clone(), Tone::Warning);
            ui.say(why, Tone::Warning, now);
        }
        None => {}
    }
    Vec::new()
}
