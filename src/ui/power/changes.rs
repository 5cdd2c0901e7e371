//! Changes that are collected, looked at together and then written together.

use crate::model::Time;
use crate::model::power::{ChangeRow, Danger, PowerAnswer, PowerQuery, Wanted, WriteReport};

/// Changes of one inverter's settings that are not written yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChangeSet {
    /// The inverter.
    pub inverter: String,
    /// Setting and text, in the order in which they were made.
    pub wanted: Vec<Wanted>,
    /// What they would do, or what is wrong with them. `None`: that has been asked and not answered.
    pub checked: Option<Result<Vec<ChangeRow>, Vec<String>>>,
    /// Whether they were sent.
    sent: Sent,
}

/// Whether changes were sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Sent {
    /// Not yet.
    #[default]
    No,
    /// When the last report was of this time; `None`: when there was none.
    After(Option<Time>),
}

impl ChangeSet {
    /// There is nothing in it.
    pub const fn is_empty(&self) -> bool {
        self.wanted.is_empty()
    }

    /// Puts a change in, in place of an earlier one of the same setting. Returns the question what it would do.
    ///
    /// # Errors
    /// There are changes of another inverter in it.
    pub fn put(&mut self, inverter: &str, id: &str, text: String) -> Result<PowerQuery, String> {
        if !self.is_empty() && self.inverter != inverter {
            return Err(format!("the change set is of {}: write it or drop it first", self.inverter));
        }
        inverter.clone_into(&mut self.inverter);
        match self.wanted.iter_mut().find(|wanted| wanted.id == id) {
            Some(wanted) => wanted.text = text,
            None => self.wanted.push(Wanted { id: id.to_owned(), text, shown: None }),
        }
        Ok(self.ask())
    }

    /// Takes a change out.
    pub fn drop(&mut self, at: usize) -> Option<PowerQuery> {
        if at < self.wanted.len() {
            self.wanted.remove(at);
        }
        let query = self.ask();
        (!self.is_empty()).then_some(query)
    }

    /// What a setting is going to say.
    pub fn proposed(&self, inverter: &str, id: &str) -> Option<&str> {
        let wanted = self.wanted.iter().filter(|_| self.inverter == inverter);
        wanted.into_iter().find(|wanted| wanted.id == id).map(|wanted| wanted.text.as_str())
    }

    /// Asks what they would do.
    pub fn ask(&mut self) -> PowerQuery {
        (self.checked, self.sent) = (None, Sent::No);
        PowerQuery::CheckChanges { inverter: self.inverter.clone(), settings: self.wanted.clone() }
    }

    /// Takes the answer, if it is about these changes.
    pub fn take(&mut self, answer: &PowerAnswer) {
        if let PowerAnswer::Changes { inverter, settings, rows } = answer
            && (inverter, settings) == (&self.inverter, &self.wanted)
        {
            self.checked = Some(rows.clone());
        }
    }

    /// What would be written, or what there is to do first.
    ///
    /// # Errors
    /// The reason why nothing can be written now.
    pub fn to_write(&self, armed: bool) -> Result<&[ChangeRow], String> {
        let rows = match &self.checked {
            _ if self.is_empty() => return Err("there is nothing to write: Enter on a setting changes it".to_owned()),
            None => return Err("what they would do is being asked; a moment".to_owned()),
            Some(Err(why)) => return Err(format!("nothing can be written: {}", why.join("; "))),
            Some(Ok(rows)) => rows,
        };
        if rows.iter().all(|row| row.unchanged) {
            return Err("the inverter says all of that already: nothing would be written".to_owned());
        }
        if !armed && rows.iter().any(|row| row.danger == Danger::Dangerous && !row.unchanged) {
            return Err("a dangerous setting is among them: A allows those for 60 s, then Enter".to_owned());
        }
        Ok(rows)
    }

    /// The worst that they can do.
    pub fn danger(&self) -> Danger {
        let rows = self.checked.as_ref().and_then(|rows| rows.as_ref().ok());
        rows.into_iter().flatten().filter(|row| !row.unchanged).map(|row| row.danger).max().unwrap_or_default()
    }

    /// The changes with what a person was shown as before: nothing is written over anything else.
    pub fn orders(&self, rows: &[ChangeRow]) -> Vec<Wanted> {
        let shown = |wanted: &Wanted| rows.iter().find(|row| row.id == wanted.id).map(|row| row.before.clone());
        self.wanted.iter().map(|wanted| Wanted { shown: shown(wanted), ..wanted.clone() }).collect()
    }

    /// They were put to the person; `last` is the time of the report that is there now.
    pub const fn offered(&mut self, last: Option<Time>) {
        self.sent = Sent::After(last);
    }

    /// Takes a newer report: what the registers say now needs no change any more.
    pub fn follow(&mut self, report: &WriteReport) -> bool {
        let Sent::After(before) = self.sent else { return false };
        if before.is_some_and(|before| report.at <= before) {
            return false;
        }
        self.wanted.retain(|wanted| !report.rows.iter().any(|row| row.id == wanted.id && row.good));
        (self.checked, self.sent) = (None, Sent::No);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::testing::power as scene;

    fn set() -> ChangeSet {
        let mut set = ChangeSet::default();
        set.put("roof", "soc_min", "30".into()).unwrap();
        set.put("roof", "work_mode", "self use".into()).unwrap();
        set
    }

    #[test]
    fn the_last_word_holds_and_an_old_answer_is_not_taken() {
        let mut set = set();
        let rows = Ok(scene::changes());
        let old = PowerAnswer::Changes { inverter: "roof".into(), settings: set.wanted.clone(), rows };
        set.put("roof", "soc_min", "35".into()).unwrap();
        assert_eq!((set.wanted.len(), set.proposed("roof", "soc_min")), (2, Some("35")));
        set.take(&old);
        assert_eq!(set.checked, None);
        assert!(set.put("shed", "soc_min", "1".into()).unwrap_err().contains("roof"));
        assert!(set.drop(1).is_some());
        assert_eq!(set.drop(0), None, "nothing is left to ask about");
    }

    #[test]
    fn dangerous_ones_wait_for_the_arming_and_mistakes_for_mending() {
        let mut set = set();
        assert!(set.to_write(true).unwrap_err().contains("a moment"));
        set.checked = Some(Ok(scene::changes()));
        assert!(set.to_write(true).is_ok() && set.to_write(false).is_ok());
        let mut rows = scene::changes();
        rows[1].danger = Danger::Dangerous;
        set.checked = Some(Ok(rows));
        assert!(set.to_write(false).unwrap_err().contains("A allows"));
        assert!(set.to_write(true).is_ok());
        set.checked = Some(Err(vec!["soc_min: 300 is above 100 %".into()]));
        assert!(set.to_write(true).unwrap_err().contains("300"));
        let same = scene::changes().into_iter().map(|row| ChangeRow { unchanged: true, ..row }).collect();
        set.checked = Some(Ok(same));
        assert!(set.to_write(true).unwrap_err().contains("already"));
    }

    #[test]
    fn what_was_taken_leaves_the_set_and_what_failed_stays() {
        let mut set = set();
        let orders = set.orders(&scene::changes());
        assert_eq!(orders[0].shown.as_deref(), Some("20 %"));
        assert!(!set.follow(&scene::half_written()), "nothing was sent from here");
        set.offered(None);
        assert!(set.follow(&scene::half_written()));
        assert_eq!(set.wanted.iter().map(|wanted| wanted.id.as_str()).collect::<Vec<_>>(), ["work_mode"]);
        set.offered(Some(scene::half_written().at));
        assert!(!set.follow(&scene::half_written()), "it is the old report");
    }
}
