//! Tokens: who comes in over TCP, with what role, and until when.
//!
//! A token is 256 random bits, shown once. What is kept is its hash. A slow hash is for passwords, which can be guessed;
//! nobody guesses 256 bits, so a fast one does. Hashes are compared in constant time (`blake3::Hash` does).

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::model::Role;

/// What every token begins with, so that it is recognised where it should not be.
pub const PREFIX: &str = "sunmill_";
/// Bytes of chance in a token.
const RANDOM: usize = 32;
/// Longest name.
const LONGEST_NAME: usize = 40;
/// Format of the file.
const VERSION: u32 = 1;

/// One token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Its name, for people.
    pub name: String,
    /// What whoever has it may do.
    pub role: Role,
    /// The hash of its secret, in hexadecimal digits.
    hash: String,
    /// When it was made, in seconds of Unix time.
    pub made_s: u64,
    /// It is good until then. `None`: until it is revoked.
    pub expires_s: Option<u64>,
}

impl Token {
    /// Whether it is over at this time.
    pub fn is_over(&self, now_s: u64) -> bool {
        self.expires_s.is_some_and(|end| end <= now_s)
    }

    /// How long it is good for. `None`: until it is revoked.
    pub(super) fn left(&self, now_s: u64) -> Option<Duration> {
        self.expires_s.map(|end| Duration::from_secs(end.saturating_sub(now_s)))
    }
}

/// All tokens of a hub.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    version: u32,
    tokens: Vec<Token>,
}

impl Default for Tokens {
    fn default() -> Self {
        Self { version: VERSION, tokens: Vec::new() }
    }
}

/// What is wrong with tokens.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file cannot be read.
    #[error("{path}: {error}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Its content makes no sense.
    #[error("{path}: this is no file of tokens ({why}): move it away, and add the tokens anew")]
    Strange {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// Others than its owner can write it, and so let themselves in.
    #[error("{0}: others than its owner may write it: chmod 600 it, and see with `sunmill token list` who is in it")]
    Open(PathBuf),
    /// A name that is no name.
    #[error("{0:?} is no name of a token: 1 to 40 letters, digits, - _ and .")]
    Name(String),
    /// There is one of this name.
    #[error("there is a token {0:?} already: revoke it first, or take another name")]
    Taken(String),
    /// There is none of this name.
    #[error("there is no token {name:?}{known}")]
    Unknown {
        /// Which.
        name: String,
        /// What there is.
        known: String,
    },
    /// The system gives no random numbers.
    #[error("this computer gives no random numbers: {0}")]
    Random(#[from] getrandom::Error),
}

impl Tokens {
    /// Reads the file; one that is not there has none.
    ///
    /// # Errors
    /// It cannot be read, makes no sense, or can be written by others than its owner.
    pub fn read(path: &Path) -> Result<Self, TokenError> {
        let failed = |error| TokenError::Io { path: path.to_owned(), error };
        let strange = |why: String| TokenError::Strange { path: path.to_owned(), why };
        let metadata = match std::fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(failed(error)),
        };
        if metadata.mode() & 0o022 != 0 {
            return Err(TokenError::Open(path.to_owned()));
        }
        let text = std::fs::read_to_string(path).map_err(failed)?;
        let read: Self = serde_json::from_str(&text).map_err(|error| strange(error.to_string()))?;
        if read.version != VERSION {
            return Err(strange(format!("version {} is not known here", read.version)));
        }
        Ok(read)
    }

    /// The text of the file.
    pub fn to_text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// All of them, in the order in which they were made.
    pub fn all(&self) -> &[Token] {
        &self.tokens
    }

    /// One is good at this time.
    pub fn any_good(&self, now_s: u64) -> bool {
        self.tokens.iter().any(|token| !token.is_over(now_s))
    }

    /// Makes a token and gives its secret, which is nowhere else.
    ///
    /// # Errors
    /// The name is none, or is taken; or there are no random numbers.
    pub fn add(&mut self, name: &str, role: Role, expires_s: Option<u64>, now_s: u64) -> Result<String, TokenError> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(fits) {
            return Err(TokenError::Name(name.to_owned()));
        }
        if self.tokens.iter().any(|token| token.name == name) {
            return Err(TokenError::Taken(name.to_owned()));
        }
        let mut random = [0; RANDOM];
        getrandom::fill(&mut random)?;
        // Not hashed: this is only how 32 bytes are written down.
        let secret = format!("{PREFIX}{}", blake3::Hash::from_bytes(random).to_hex());
        let hash = hashed(&secret).to_hex().to_string();
        self.tokens.push(Token { name: name.to_owned(), role, hash, made_s: now_s, expires_s });
        Ok(secret)
    }

    /// Takes one away.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn revoke(&mut self, name: &str) -> Result<Token, TokenError> {
        match self.tokens.iter().position(|token| token.name == name) {
            Some(at) => Ok(self.tokens.remove(at)),
            None => {
                let names: Vec<&str> = self.tokens.iter().map(|token| token.name.as_str()).collect();
                let known = if names.is_empty() { "; there is none" } else { "; there is " };
                Err(TokenError::Unknown { name: name.to_owned(), known: format!("{known}{}", names.join(", ")) })
            }
        }
    }

    /// The token of this secret, if it is good. Every one is looked at, whichever it is.
    pub(super) fn of_secret(&self, secret: &str, now_s: u64) -> Option<&Token> {
        let hash = hashed(secret);
        self.tokens.iter().fold(None, |found, token| {
            let same = blake3::Hash::from_hex(&token.hash).is_ok_and(|known| known == hash);
            if same && !token.is_over(now_s) { Some(token) } else { found }
        })
    }

    /// It is there, as it was, and is good.
    pub(super) fn holds(&self, token: &Token, now_s: u64) -> bool {
        self.tokens.contains(token) && !token.is_over(now_s)
    }
}

fn hashed(secret: &str) -> blake3::Hash {
    blake3::hash(secret.as_bytes())
}

/// Seconds of Unix time.
pub fn now_s() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_token_is_known_by_its_secret_alone_and_until_its_end() {
        let mut tokens = Tokens::default();
        let one = tokens.add("panel", Role::Stop, None, 100).unwrap();
        let other = tokens.add("phone", Role::Operate, Some(200), 100).unwrap();
        assert!(one.starts_with(PREFIX) && one.len() == PREFIX.len() + 64 && one != other);
        let name = |secret: &str, now_s| tokens.of_secret(secret, now_s).map(|token| token.name.as_str());
        assert_eq!((name(&one, 150), name(&other, 150)), (Some("panel"), Some("phone")));
        assert_eq!((name(&one, 200), name(&other, 200)), (Some("panel"), None), "it is over at its end");
        assert_eq!((name("", 150), name(&one[1..], 150), name(&format!("{one}0"), 150)), (None, None, None));
        // What is kept does not let anybody in.
        assert_eq!(name(&tokens.all()[0].hash, 150), None);
        let text = tokens.to_text();
        assert!(!text.contains(&one[PREFIX.len()..]) && !text.contains(&other[PREFIX.len()..]), "{text}");
    }

    #[test]
    fn names_are_one_of_a_kind_and_a_revoked_token_is_held_no_more() {
        let mut tokens = Tokens::default();
        let secret = tokens.add("panel", Role::Stop, None, 100).unwrap();
        let held = tokens.of_secret(&secret, 100).unwrap().clone();
        assert!(tokens.holds(&held, 100) && tokens.any_good(100));
        assert!(matches!(tokens.add("panel", Role::Stop, None, 100), Err(TokenError::Taken(_))));
        for name in ["", "a b", "a\n", "ä", &"x".repeat(41)] {
            assert!(matches!(tokens.add(name, Role::Stop, None, 100), Err(TokenError::Name(_))), "{name:?}");
        }
        let why = tokens.revoke("pannel").unwrap_err().to_string();
        assert!(why.contains("panel"), "{why}");
        assert_eq!(tokens.revoke("panel").unwrap(), held);
        assert!(!tokens.holds(&held, 100) && tokens.of_secret(&secret, 100).is_none() && !tokens.any_good(100));
        // A new one of the same name does not make the old one good again.
        tokens.add("panel", Role::Stop, None, 100).unwrap();
        assert!(!tokens.holds(&held, 100));
    }

    #[test]
    fn the_file_is_read_back_and_one_that_others_write_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        assert_eq!(Tokens::read(&path).unwrap(), Tokens::default());
        let mut tokens = Tokens::default();
        tokens.add("panel", Role::Observe, Some(7), 5).unwrap();
        std::fs::write(&path, tokens.to_text()).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(Tokens::read(&path).unwrap(), tokens);
        for mode in [0o620, 0o602] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert!(matches!(Tokens::read(&path), Err(TokenError::Open(_))), "{mode:o}");
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        for text in ["", "{}", "[1]", r#"{"version":2,"tokens":[]}"#] {
            std::fs::write(&path, text).unwrap();
            assert!(matches!(Tokens::read(&path), Err(TokenError::Strange { .. })), "{text}");
        }
    }
}
