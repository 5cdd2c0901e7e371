//! Profiles by name: those in the folder of one's own, then those that come with sunmill.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::nearest;
use crate::inverter::profile::{Profile, SHIPPED, parse, shipped};

/// How a family of devices that describe themselves is called in the configuration.
const SUNSPEC: &str = "sunspec";

/// What a name of the configuration stands for.
pub(super) enum Known {
    /// A profile.
    Profile(Arc<Profile>),
    /// A device that says itself what it has.
    SunSpec,
    /// Nothing that can be used: why.
    Not(String),
}

/// A profile of one's own, or what is wrong with it.
#[derive(Debug)]
pub(super) struct Own {
    /// Its file.
    pub(super) file: PathBuf,
    /// The profile; or why it cannot be used, with file and line.
    pub(super) profile: Result<Arc<Profile>, String>,
}

/// The profiles that there are.
#[derive(Debug, Default)]
pub(super) struct Profiles {
    /// By name; one that is broken by the name that it has or should have.
    own: BTreeMap<String, Own>,
    /// What a person should know, a line each.
    pub(super) notices: Vec<String>,
}

impl Profiles {
    /// Reads the folder of one's own. One that is not there is said.
    pub(super) fn load(folder: Option<&Path>) -> Self {
        let mut profiles = Self::default();
        let Some(folder) = folder else { return profiles };
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(why) => {
                profiles.notices.push(format!("inverters.profiles: {} cannot be read: {why}", folder.display()));
                return profiles;
            }
        };
        let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
        files.sort();
        for file in files {
            profiles.take(&file);
        }
        profiles
    }

    fn take(&mut self, file: &Path) {
        let shown = file.display();
        let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let (name, profile) = match fs::read_to_string(file) {
            Err(why) => (stem, Err(format!("{shown} cannot be read: {why}"))),
            Ok(text) => match parse(&text) {
                Ok(profile) => (profile.name.clone(), Ok(Arc::new(profile))),
                Err(problems) => {
                    let first = problems.first().map(|one| format!("{shown}:{}: {}", one.line, one.what));
                    let more = match problems.len() {
                        0 | 1 => String::new(),
                        count => {
                            format!(" (and {} more; sunmill inverter profiles check {shown} lists them)", count - 1)
                        }
                    };
                    (named(&text).unwrap_or(stem), Err(first.unwrap_or_default() + &more))
                }
            },
        };
        if SHIPPED.iter().any(|(known, _)| *known == name) {
            self.notices.push(format!("profile {name}: {shown} is used in place of the one that comes with sunmill"));
        }
        if self.own.insert(name.clone(), Own { file: file.to_owned(), profile }).is_some() {
            self.notices
                .push(format!("profile {name}: {shown} is the second of this name; it is the one that is used"));
        }
    }

    /// What a name, or the beginning of one, stands for.
    pub(super) fn find(&self, name: &str) -> Known {
        if let Some(own) = self.own.get(name) {
            return own.known();
        }
        if name == SUNSPEC {
            return Known::SunSpec;
        }
        // A beginning that one of one's own completes means that one, as its whole name does.
        if let Some((full, _)) = SHIPPED.iter().find(|(full, _)| is_shipped_as(name, full))
            && let Some(own) = self.own.get(*full)
        {
            return own.known();
        }
        match shipped(name) {
            Some(Ok(profile)) => Known::Profile(Arc::new(profile)),
            Some(Err(problems)) => Known::Not(problems.first().map(ToString::to_string).unwrap_or_default()),
            None => Known::Not(self.unknown(name)),
        }
    }

    /// One's own of this very name.
    pub(super) fn own(&self, name: &str) -> Option<&Own> {
        self.own.get(name)
    }

    /// Names of all: those that come with sunmill, then what only one's own folder has.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let own = self.own.keys().map(String::as_str);
        let is_shipped = |name: &&str| SHIPPED.iter().any(|(known, _)| known == name);
        SHIPPED.iter().map(|(name, _)| *name).chain(own.filter(move |name| !is_shipped(name)))
    }

    /// All that can be used, by [`names`](Self::names).
    pub(super) fn all(&self) -> Vec<Arc<Profile>> {
        let usable = |name: &str| match self.find(name) {
            Known::Profile(profile) => Some(profile),
            Known::SunSpec | Known::Not(_) => None,
        };
        self.names().filter_map(usable).collect()
    }

    fn unknown(&self, name: &str) -> String {
        let shipped = SHIPPED.iter().map(|(name, _)| *name).chain([SUNSPEC]);
        let names: Vec<&str> = shipped.chain(self.own.keys().map(String::as_str)).collect();
        match nearest(name, &names) {
            Some(near) => format!("there is no profile {name:?}; did you mean {near:?}?"),
            None => format!("there is no profile {name:?}; there are {}", names.join(", ")),
        }
    }
}

impl Own {
    fn known(&self) -> Known {
        self.profile.clone().map_or_else(Known::Not, Known::Profile)
    }
}

fn is_shipped_as(name: &str, full: &str) -> bool {
    shipped(name).and_then(Result::ok).is_some_and(|profile| profile.name == full)
}

/// The name in a profile that is broken elsewhere.
fn named(text: &str) -> Option<String> {
    let table: toml::Table = toml::from_str(text).ok()?;
    Some(table.get("name")?.as_str()?.to_owned())
}
