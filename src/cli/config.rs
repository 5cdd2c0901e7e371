//! `sunmill config check` and `sunmill config show`.

use std::fmt::Write as _;

use color_eyre::eyre::{WrapErr, eyre};

use super::exit::Failure;
use super::fleet::fleet;
use super::out;
use super::settings::Settings;
use crate::config::Config;
use crate::model::Endpoint;

/// What `check` prints: the settings were read without a mistake.
///
/// # Errors
/// An inverter could not be used: which, and why. sunmill starts all the same, without it.
pub(super) fn checked(settings: &Settings) -> Result<String, Failure> {
    let fleet = fleet(settings);
    let problems: Vec<String> =
        fleet.unusable().iter().map(|(name, why)| format!("inverter {name:?} cannot be used: {why}")).collect();
    if !problems.is_empty() {
        return Err(eyre!("{}", problems.join("\n")).into());
    }
    fleet.notices.iter().for_each(|notice| out::words(notice));
    Ok(format!("ok: {}\n", settings.source))
}

/// What `show` prints: where the values come from, and the values, as a file that could be used.
pub(super) fn shown(settings: &Settings) -> Result<String, Failure> {
    let mut text = format!("# in force: {}\n", settings.source);
    let machine = match (&settings.endpoint, &settings.config.machine.port) {
        (Endpoint::Sim, None) => "the simulated machine, because no port is set".to_owned(),
        (endpoint, Some(port)) if endpoint == port => endpoint.to_string(),
        (endpoint, Some(port)) if matches!(port, Endpoint::Serial(path) if path.starts_with("~")) => {
            format!("{endpoint} ({port})")
        }
        (endpoint, _) => format!("{endpoint} (--port)"),
    };
    let log = match &settings.log_folder {
        Some(folder) => folder.display().to_string(),
        None => "nowhere: there is no home folder and log.folder is not set".to_owned(),
    };
    let look = settings.look;
    let _ = writeln!(text, "# machine:  {machine}");
    let _ = writeln!(text, "# log:      {log}");
    let _ = writeln!(
        text,
        "# screen:   {}, {}, a frame every {} ms at most",
        if look.colour { "colours" } else { "no colours" },
        if look.unicode { "Unicode" } else { "ASCII" },
        look.frame.as_millis()
    );
    let mut effective: Config = settings.config.clone();
    let nothing_configured = settings.endpoint == Endpoint::Sim && effective.machine.port.is_none();
    effective.machine.port = (!nothing_configured).then(|| settings.endpoint.clone());
    text.push('\n');
    text.push_str(&toml::to_string(&effective).wrap_err("cannot write the configuration as TOML")?);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::super::environment::Environment;
    use super::*;
    use crate::config::parse;

    fn settings(text: &str, port: Option<&str>) -> Settings {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        std::fs::write(&file, text).unwrap();
        let env = Environment { home: Some("/h".into()), ..Environment::default() };
        Settings::new(Some(file), None, port.map(|port| port.parse().unwrap()), &env).unwrap()
    }

    #[test]
    fn what_is_shown_can_be_read_again() {
        let text = "[machine]\nport = \"ws://mill:81/x\"\npace = 57600\nrx_buffer = 255\n[jog]\nz_feed_factor = 1\n\
                    [jog.invert]\ny = true\n[ui]\nframe_ms = 33\n[log]\nlevel = \"trace\"";
        let settings = settings(text, None);
        let shown = shown(&settings).unwrap();
        assert_eq!(parse("shown", &shown).unwrap(), settings.config, "{shown}");
    }

    #[test]
    fn the_machine_is_said_with_its_reason() {
        for (text, port, expected) in [
            ("", None, "# machine:  the simulated machine, because no port is set\n"),
            ("", Some("tcp://mill"), "# machine:  tcp://mill:23 (--port)\n"),
            ("[machine]\nport = \"/dev/ttyUSB0\"", None, "# machine:  /dev/ttyUSB0\n"),
            ("[machine]\nport = \"~/mill\"", None, "# machine:  /h/mill (~/mill)\n"),
            ("[machine]\nport = \"/dev/ttyUSB0\"", Some("sim"), "# machine:  sim (--port)\n"),
        ] {
            let shown = shown(&settings(text, port)).unwrap();
            assert!(shown.contains(expected), "{shown}");
        }
    }
}
