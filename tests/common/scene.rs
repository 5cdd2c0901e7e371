//! Scenes: small recordings of a controller, in `tests/scenes/FIRMWARE-NAME.txt`, in the format of
//! [`sunmill::grbl::recording`].

use std::path::Path;

use sunmill::grbl::recording::{self, Record};
use sunmill::model::Firmware;

/// A scene by name, with the firmware that its name tells.
pub(crate) fn load(name: &str) -> (Firmware, Vec<Record>) {
    let firmware = match name.split('-').next() {
        Some("grbl") => Firmware::Grbl,
        Some("grblhal") => Firmware::GrblHal,
        Some("fluidnc") => Firmware::FluidNc,
        _ => panic!("{name}: a scene is named after its firmware"),
    };
    let path = folder().join(name).with_extension("txt");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let steps = recording::read(&text).map(|step| step.unwrap_or_else(|why| panic!("{name}: {why}")));
    (firmware, steps.collect())
}

/// The names of all scenes, sorted.
pub(crate) fn names() -> Vec<String> {
    let entries = std::fs::read_dir(folder()).expect("tests/scenes is there");
    let mut names: Vec<_> =
        entries.filter_map(|entry| Some(entry.ok()?.path().file_stem()?.to_str()?.to_owned())).collect();
    // Scenes of the simulator are played against it, not read.
    names.retain(|name| !name.starts_with("sim-"));
    names.sort();
    names
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scenes"))
}
