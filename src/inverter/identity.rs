//! Who answers. A different device on the same path is not written to.

use serde::{Deserialize, Serialize};

/// Who answers, as far as its serial number tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// Not asked yet, or to be asked again after something went wrong.
    #[default]
    Unknown,
    /// The device that is expected, or the first that answered here.
    Known {
        /// Its serial number.
        serial: String,
    },
    /// Another device than expected.
    Different {
        /// Whose place it is.
        expected: String,
        /// Who answers.
        found: String,
    },
    /// What it tells as its serial number cannot be one: probably the profile does not fit.
    Strange {
        /// What it tells.
        found: String,
    },
    /// It cannot be asked.
    Unverifiable {
        /// Why.
        why: String,
    },
}

/// Keeps who is expected, and decides from what is read.
#[derive(Clone, Debug, Default)]
pub(super) struct IdentityCheck {
    expected: Option<String>,
    /// A person said that this one is right.
    confirmed: bool,
    /// Read once and not as expected: read again before it is believed, it may be a late answer to another question.
    suspect: Option<String>,
    pub(super) state: Identity,
    pub(super) due: bool,
}

/// What a reading of the serial number came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Checked {
    /// What follows can be trusted.
    Settled,
    /// Not what it should be: the link may be out of step. Ask again.
    Again,
}

impl IdentityCheck {
    pub(super) fn new(expected: Option<String>) -> Self {
        Self { expected, due: true, ..Self::default() }
    }

    /// To be read before anything else is trusted.
    pub(super) fn doubt(&mut self) {
        self.due = true;
    }

    pub(super) fn read(&mut self, serial: &str) -> Checked {
        let plausible = serial.len() >= 4 && serial.chars().all(|c| c.is_ascii_alphanumeric() || "-_. /".contains(c));
        let expected = self.expected.as_deref();
        let good = plausible && expected.is_none_or(|expected| expected == serial);
        if !good && self.suspect.as_deref() != Some(serial) {
            self.suspect = Some(serial.to_owned());
            return Checked::Again;
        }
        self.suspect = None;
        self.due = false;
        self.state = if !plausible {
            Identity::Strange { found: serial.to_owned() }
        } else if good {
            // Kept for this run: whoever answers later has to be the same.
            self.expected = Some(serial.to_owned());
            Identity::Known { serial: serial.to_owned() }
        } else {
            Identity::Different { expected: expected.unwrap_or_default().to_owned(), found: serial.to_owned() }
        };
        Checked::Settled
    }

    pub(super) fn cannot(&mut self, why: &str) {
        self.due = false;
        self.suspect = None;
        self.state = Identity::Unverifiable { why: why.to_owned() };
    }

    /// A person looked and says that this device is the one to talk to.
    pub(super) fn confirm(&mut self) {
        self.confirmed = true;
        if let Identity::Different { found, .. } = &self.state {
            self.expected = Some(found.clone());
            self.state = Identity::Known { serial: found.clone() };
        }
    }

    /// Why it is not written to.
    pub(super) fn refusal(&self) -> Option<String> {
        match &self.state {
            Identity::Known { .. } if !self.due => None,
            Identity::Known { .. } | Identity::Unknown => {
                Some("it is not known yet which device answers; try again in a moment".to_owned())
            }
            Identity::Different { expected, found } => Some(format!(
                "the device {found} answers where {expected} is expected; confirm it first if it was exchanged"
            )),
            Identity::Strange { .. } | Identity::Unverifiable { .. } if self.confirmed => None,
            Identity::Strange { found } => Some(format!(
                "the serial number reads {found:?}: the profile probably does not fit; confirm it first if it does"
            )),
            Identity::Unverifiable { why } => {
                Some(format!("which device answers cannot be checked: {why}; confirm it first"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_device_is_the_one_that_is_expected_later() {
        let mut check = IdentityCheck::new(None);
        assert!(check.refusal().is_some());
        assert_eq!(check.read("SE123456"), Checked::Settled);
        assert_eq!(check.refusal(), None);
        check.doubt();
        assert!(check.refusal().is_some_and(|why| why.contains("not known yet")));
        // A late answer of another device, once, decides nothing.
        assert_eq!(check.read("SE999999"), Checked::Again);
        assert_eq!(check.read("SE123456"), Checked::Settled);
        assert_eq!(check.refusal(), None);
    }

    #[test]
    fn a_different_device_is_said_and_not_written_to_until_confirmed() {
        let mut check = IdentityCheck::new(Some("SE123456".into()));
        assert_eq!((check.read("SE999999"), check.read("SE999999")), (Checked::Again, Checked::Settled));
        let why = check.refusal().expect("refused");
        assert!(why.contains("SE999999") && why.contains("SE123456"), "{why}");
        check.confirm();
        assert_eq!(check.refusal(), None);
        check.doubt();
        assert_eq!(check.read("SE999999"), Checked::Settled);
    }

    #[test]
    fn what_is_no_serial_number_points_to_the_profile() {
        let mut check = IdentityCheck::new(None);
        assert_eq!((check.read("??\u{1}"), check.read("??\u{1}")), (Checked::Again, Checked::Settled));
        assert!(check.refusal().is_some_and(|why| why.contains("profile")));
        let mut check = IdentityCheck::new(None);
        check.cannot("the profile names no serial number");
        assert!(check.refusal().is_some());
        check.confirm();
        assert_eq!(check.refusal(), None);
    }
}
