//! `sunmill inverter profiles`: the profiles that come with sunmill, those of one's own folder, and the check of a file.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use color_eyre::eyre::{WrapErr, eyre};
use serde_json::{Value, json};

use super::exit::Failure;
use super::out;
use super::own_profiles::{Known, Profiles};
use crate::inverter::profile::{Problem, Profile, Register, parse};
use crate::model::power::Access;

/// What `list` prints; what is wrong with one's own is on stderr, a line each.
pub(super) fn list(profiles: &Profiles, as_json: bool) -> Result<String, Failure> {
    for name in profiles.names() {
        if let Some(Err(why)) = profiles.own(name).map(|own| &own.profile) {
            out::words(why);
        }
    }
    let all = profiles.all();
    if as_json {
        return pretty(&all.iter().map(|profile| summary(profiles, profile)).collect());
    }
    let width = all.iter().map(|profile| profile.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for profile in all {
        let writable = profile.registers.iter().filter(|register| register.access.writes()).count();
        let (name, brand, models, all) = (&profile.name, &profile.brand, &profile.models, profile.registers.len());
        let file = file(profiles, &profile).map_or_else(String::new, |file| format!("  ({file})"));
        let _ = writeln!(text, "{name:width$}  {all:>3} registers, {writable:>2} writable  {brand}: {models}{file}");
    }
    Ok(text)
}

/// What `show` prints. `name` is a profile, or a file.
pub(super) fn show(profiles: &Profiles, name: &str, as_json: bool) -> Result<String, Failure> {
    let profile = find(profiles, name)?;
    if as_json {
        let mut whole = summary(profiles, &profile);
        whole["registers"] = profile.registers.iter().map(|register| described(&profile, register)).collect();
        return pretty(&whole);
    }
    Ok(text(&profile))
}

/// A profile by its name or the beginning of it, or one in a file.
pub(super) fn find(profiles: &Profiles, name: &str) -> Result<Arc<Profile>, Failure> {
    match profiles.find(name) {
        Known::Profile(profile) => Ok(profile),
        Known::Not(_) if Path::new(name).is_file() => Ok(Arc::new(read(Path::new(name))?)),
        Known::Not(why) => Err(eyre!("{why}").into()),
        Known::SunSpec => Err(eyre!(
            "sunspec is no profile: such a device says itself what it has; sunmill inverter registers --at PLACE \
             --profile sunspec asks it"
        )
        .into()),
    }
}

/// Where one's own is from.
fn file(profiles: &Profiles, profile: &Profile) -> Option<String> {
    profiles.own(&profile.name).map(|own| own.file.display().to_string())
}

/// What `check` prints; every problem is on stderr, a line each.
pub(super) fn check(file: &Path) -> Result<String, Failure> {
    let profile = read(file)?;
    Ok(format!("ok: {} ({}, {} registers)\n", file.display(), profile.name, profile.registers.len()))
}

fn read(file: &Path) -> Result<Profile, Failure> {
    let text = fs::read_to_string(file).wrap_err_with(|| format!("cannot read {}", file.display()))?;
    Ok(parse(&text).map_err(|problems| eyre!(told(&file.display().to_string(), &problems)))?)
}

/// `file:line: what`, as editors jump to.
fn told(file: &str, problems: &[Problem]) -> String {
    let lines: Vec<String> =
        problems.iter().map(|problem| format!("{file}:{}: {}", problem.line, problem.what)).collect();
    match lines.len() {
        1 => lines.join(""),
        count => format!("{count} problems\n{}", lines.join("\n")),
    }
}

fn pretty(value: &Value) -> Result<String, Failure> {
    let mut text = serde_json::to_string_pretty(value).wrap_err("cannot write the profiles as JSON")?;
    text.push('\n');
    Ok(text)
}

fn summary(profiles: &Profiles, profile: &Profile) -> Value {
    let writable = profile.registers.iter().filter(|register| register.access.writes()).count();
    json!({
        "name": profile.name,
        "brand": profile.brand,
        "models": profile.models,
        "file": file(profiles, profile),
        "sources": profile.sources,
        "register_count": profile.registers.len(),
        "writable_count": writable,
        "baud": profile.link.baud,
        "tcp_port": profile.link.tcp_port,
        "unit": profile.link.unit,
        "timeout_ms": profile.link.timeout.as_millis() as u64,
        "spacing_ms": profile.link.spacing.as_millis() as u64,
    })
}

fn described(profile: &Profile, register: &Register) -> Value {
    let service = register.service.checked_sub(1).map(|at| profile.link.services[at].name.clone());
    json!({
        "id": register.id,
        "aliases": register.aliases,
        "addresses": register.addresses,
        "table": register.table,
        "service": service,
        "unit": register.unit,
        "poll": register.poll,
        "role": register.role,
        "access": register.access,
        "danger": register.access.writes().then_some(register.danger),
        "note": register.note,
    })
}

fn text(profile: &Profile) -> String {
    let link = &profile.link;
    let mut text = format!("{}\n  {}: {}\n", profile.name, profile.brand, profile.models);
    let (unit, baud, port) = (link.unit, link.baud, link.tcp_port);
    let _ = writeln!(text, "  unit {unit}, {baud} Bd 8N1, TCP port {port}");
    for source in &profile.sources {
        let _ = writeln!(text, "  facts from {source}");
    }
    let width = profile.registers.iter().map(|register| register.id.len()).max().unwrap_or(0);
    for register in &profile.registers {
        let access = match register.access {
            Access::ReadOnly => "ro",
            Access::ReadWrite => "rw",
            Access::WriteOnly => "wo",
        };
        let role = register.role.map_or_else(String::new, |role| role.to_string());
        let (id, address, table, unit) = (&register.id, register.addresses[0], register.table.word(), &register.unit);
        let line = format!("  {address:>5} {table:7} {access} {id:width$}  {unit:6} {role}");
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inverter::profile::SHIPPED;

    #[test]
    fn every_profile_is_listed_and_shown() {
        let listed = list(&Profiles::default(), false).unwrap();
        assert_eq!(listed.lines().count(), SHIPPED.len());
        for (name, _) in SHIPPED {
            assert!(listed.contains(name));
            let shown = show(&Profiles::default(), name, false).unwrap();
            assert!(shown.contains("Bd 8N1") && shown.contains("battery_soc"), "{shown}");
            let json: Value = serde_json::from_str(&show(&Profiles::default(), name, true).unwrap()).unwrap();
            assert_eq!(json["register_count"], json["registers"].as_array().unwrap().len());
        }
        let json: Value = serde_json::from_str(&list(&Profiles::default(), true).unwrap()).unwrap();
        assert_eq!(json.as_array().unwrap().len(), SHIPPED.len());
    }

    #[test]
    fn ones_own_are_listed_and_shown_with_their_file() {
        let folder = tempfile::tempdir().unwrap();
        let (name, shipped) = SHIPPED[0];
        let write = |file: &str, text: String| fs::write(folder.path().join(file), text).unwrap();
        write("better.toml", shipped.replacen("brand = \"", "brand = \"Better ", 1));
        write("mine.toml", shipped.replace(&format!("name = \"{name}\""), "name = \"mine\""));
        write("bad.toml", "name = \"bad\"\n".to_owned());
        let profiles = Profiles::load(Some(folder.path()));
        let listed = list(&profiles, false).unwrap();
        assert_eq!(listed.lines().count(), SHIPPED.len() + 1, "{listed}");
        assert!(listed.contains("Better ") && listed.contains("mine.toml)") && !listed.contains("bad"), "{listed}");
        let json: Value = serde_json::from_str(&show(&profiles, "mine", true).unwrap()).unwrap();
        assert!(json["file"].as_str().unwrap().ends_with("mine.toml"), "{json}");
        let why = find(&profiles, "bad").unwrap_err();
        assert!(format!("{why:?}").contains("bad.toml:"), "{why:?}");
    }

    #[test]
    fn a_file_is_checked_with_its_lines() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("own.toml");
        let good = SHIPPED[0].1;
        fs::write(&file, good).unwrap();
        assert!(check(&file).unwrap().starts_with("ok: "));
        let line = good.lines().position(|line| line.contains("role = \"battery_soc\"")).unwrap() + 1;
        fs::write(&file, good.replace("role = \"battery_soc\"", "role = \"battery_sock\"")).unwrap();
        let read = read(&file).err().map(|_| ());
        assert_eq!(read, Some(()));
        let problems = parse(&fs::read_to_string(&file).unwrap()).unwrap_err();
        assert!(told("own.toml", &problems).starts_with(&format!("own.toml:{line}: ")));
    }
}
