//! Text into a condition, or the first mistake with the word that is wrong.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::expr::{Expr, Op, Sum};
use super::word::{Choice, Dimension, Quantity, Word};
use crate::model::nearest::nearest;

/// Brackets in brackets at most.
const DEEPEST: usize = 16;
/// The longest condition, in bytes.
const LONGEST: usize = 1000;
/// The longest time that something may be asked to hold.
const LONGEST_FOR: Duration = Duration::from_secs(24 * 3600);

/// A condition: what was written, and what it means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Condition {
    /// As written.
    pub text: String,
    /// As understood.
    pub expr: Expr,
}

/// A condition that makes no sense: which word, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadCondition(String);

impl FromStr for Condition {
    type Err = BadCondition;

    fn from_str(text: &str) -> Result<Self, BadCondition> {
        if text.len() > LONGEST {
            return Err(BadCondition(format!("is longer than {LONGEST} bytes")));
        }
        let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0 };
        let expr = parser.any()?;
        match parser.tokens.get(parser.at) {
            None => Ok(Self { text: text.to_owned(), expr }),
            Some(rest) => Err(bad(format!("{rest} is not expected here; join conditions by \"and\" or \"or\""))),
        }
    }
}

impl TryFrom<String> for Condition {
    type Error = BadCondition;

    fn try_from(text: String) -> Result<Self, BadCondition> {
        text.parse()
    }
}

impl From<Condition> for String {
    fn from(condition: Condition) -> Self {
        condition.text
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn bad(why: impl Into<String>) -> BadCondition {
    BadCondition(why.into())
}

/// A piece of a condition.
#[derive(Clone, Debug, PartialEq)]
enum Token {
    Name(String),
    Number(f64, Option<String>),
    Sign(&'static str),
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "{name:?}"),
            Self::Number(value, unit) => write!(f, "\"{value}{}\"", unit.as_deref().unwrap_or_default()),
            Self::Sign(sign) => write!(f, "{sign:?}"),
        }
    }
}

const SIGNS: [&str; 12] = ["<=", ">=", "!=", "==", "<", ">", "=", "(", ")", ",", "+", "-"];

fn tokens(text: &str) -> Result<Vec<Token>, BadCondition> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if first.is_ascii_alphabetic() || first == '_' {
            let length = end_of(rest, |c| c.is_ascii_alphanumeric() || c == '_');
            tokens.push(Token::Name(rest[..length].to_owned()));
            length
        } else if first.is_ascii_digit() || first == '.' {
            let digits = end_of(rest, |c| c.is_ascii_digit() || c == '.');
            let value =
                rest[..digits].parse::<f64>().map_err(|_| bad(format!("{:?} is no number", &rest[..digits])))?;
            let after = &rest[digits..];
            let blank = end_of(after, |c| c == ' ');
            let unit = &after[blank..][..end_of(&after[blank..], |c| c.is_alphabetic() || matches!(c, '%' | '°'))];
            // "20 for 30s": a word behind a blank is a unit only if there is such a unit.
            let joined = blank == 0 && !unit.is_empty();
            let is_unit = joined || unit == "ms" || Dimension::of_unit(unit).is_some();
            tokens.push(Token::Number(value, is_unit.then(|| unit.to_owned())));
            digits + if is_unit { blank + unit.len() } else { 0 }
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            tokens.push(Token::Sign(sign));
            sign.len()
        } else {
            return Err(bad(format!("{first:?} means nothing in a condition")));
        };
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

fn end_of(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn takes_name(&mut self, name: &str) -> bool {
        let is = matches!(self.peek(), Some(Token::Name(found)) if found == name);
        self.at += usize::from(is);
        is
    }

    fn takes_sign(&mut self, sign: &str) -> bool {
        let is = matches!(self.peek(), Some(Token::Sign(found)) if *found == sign);
        self.at += usize::from(is);
        is
    }

    fn found(&self) -> String {
        self.peek().map_or_else(|| "its end".to_owned(), Token::to_string)
    }

    fn any(&mut self) -> Result<Expr, BadCondition> {
        self.joined("or", Self::all, Expr::Any)
    }

    fn all(&mut self) -> Result<Expr, BadCondition> {
        self.joined("and", Self::term, Expr::All)
    }

    fn joined(
        &mut self,
        word: &str,
        part: fn(&mut Self) -> Result<Expr, BadCondition>,
        join: fn(Vec<Expr>) -> Expr,
    ) -> Result<Expr, BadCondition> {
        let first = part(self)?;
        let mut parts = vec![first];
        while self.takes_name(word) {
            parts.push(part(self)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { join(parts) })
    }

    /// A part of a condition, with how long it has to hold.
    fn term(&mut self) -> Result<Expr, BadCondition> {
        let part = self.part()?;
        if !self.takes_name("for") {
            return Ok(part);
        }
        let time = match self.peek() {
            Some(Token::Number(value, Some(unit))) => duration(*value, unit),
            _ => None,
        };
        let time = time.ok_or_else(|| {
            bad(format!("\"for\" needs a time such as 30s, 5min or 1h, but is followed by {}", self.found()))
        })?;
        if time.is_zero() || time > LONGEST_FOR {
            return Err(bad("\"for\" takes a time from 1ms to 24h"));
        }
        self.at += 1;
        Ok(Expr::For(Box::new(part), time))
    }

    fn part(&mut self) -> Result<Expr, BadCondition> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(bad(format!("has more than {DEEPEST} brackets in brackets")));
        }
        let part = self.part_below();
        self.depth -= 1;
        part
    }

    fn part_below(&mut self) -> Result<Expr, BadCondition> {
        if self.takes_name("not") {
            return Ok(Expr::Not(Box::new(self.part()?)));
        }
        if self.takes_sign("(") {
            let inner = self.any()?;
            return self.closed(inner);
        }
        for (word, join) in [("all", Expr::All as fn(Vec<Expr>) -> Expr), ("any", Expr::Any)] {
            if self.takes_name(word) {
                return self.listed(word, join);
            }
        }
        let Some(Token::Name(name)) = self.peek().cloned() else {
            return Err(bad(format!("a condition begins with a name, such as battery_soc, not with {}", self.found())));
        };
        self.at += 1;
        match known(&name)? {
            Word::Flag(flag) => Ok(Expr::Flag(flag)),
            Word::Choice(choice) => self.choice(choice),
            Word::Quantity(quantity) => self.comparison(quantity),
        }
    }

    fn closed(&mut self, inner: Expr) -> Result<Expr, BadCondition> {
        if self.takes_sign(")") {
            return Ok(inner);
        }
        Err(bad(format!("a bracket is not closed: there should be \")\" where {} is", self.found())))
    }

    fn listed(&mut self, word: &str, join: fn(Vec<Expr>) -> Expr) -> Result<Expr, BadCondition> {
        if !self.takes_sign("(") {
            return Err(bad(format!("{word:?} is followed by conditions in brackets: {word}(…, …)")));
        }
        let mut parts = vec![self.any()?];
        while self.takes_sign(",") {
            parts.push(self.any()?);
        }
        self.closed(join(parts))
    }

    fn choice(&mut self, choice: Choice) -> Result<Expr, BadCondition> {
        let name = choice.name();
        let words = choice.words();
        let equal = match self.peek() {
            Some(Token::Sign("=" | "==")) => true,
            Some(Token::Sign("!=")) => false,
            _ => return Err(bad(format!("{name:?} is one of {}: write {name} = {}", words.join(", "), words[1]))),
        };
        self.at += 1;
        let found = match self.peek() {
            Some(Token::Name(found)) => found.clone(),
            _ => return Err(bad(format!("{name} is one of {}, not {}", words.join(", "), self.found()))),
        };
        self.at += 1;
        let word = words.iter().copied().find(|word| *word == found).ok_or_else(|| {
            // "run" for "running": a beginning is no slip of a finger.
            let begun = || words.iter().copied().find(|word| found.len() > 2 && word.starts_with(&found));
            let near = nearest(&found, words).or_else(begun);
            let hint = near.map_or_else(String::new, |word| format!("; did you mean {word:?}?"));
            bad(format!("{name} is never {found:?}: it is one of {}{hint}", words.join(", ")))
        })?;
        Ok(Expr::Is { choice, word, equal })
    }

    fn comparison(&mut self, left: Quantity) -> Result<Expr, BadCondition> {
        let op = match self.peek() {
            Some(Token::Sign("<")) => Op::Less,
            Some(Token::Sign("<=")) => Op::AtMost,
            Some(Token::Sign(">")) => Op::More,
            Some(Token::Sign(">=")) => Op::AtLeast,
            _ => {
                return Err(bad(format!(
                    "{:?} is a number: compare it by <, <=, > or >=, not by {}",
                    left.name(),
                    self.found()
                )));
            }
        };
        self.at += 1;
        Ok(Expr::Compare(left, op, self.sum(left)?))
    }

    /// Numbers and quantities that count the same as `left`.
    fn sum(&mut self, left: Quantity) -> Result<Sum, BadCondition> {
        let mut sum = Sum { quantities: Vec::new(), number: 0.0, dimension: left.dimension() };
        let mut plus = !self.takes_sign("-");
        loop {
            match self.peek().cloned() {
                Some(Token::Number(value, unit)) => {
                    self.at += 1;
                    let value = in_unit_of(left, value, unit.as_deref())?;
                    sum.number += if plus { value } else { -value };
                }
                Some(Token::Name(name)) => {
                    let Word::Quantity(quantity) = known(&name)? else {
                        return Err(bad(format!(
                            "{name:?} is no number, so {:?} cannot be compared with it",
                            left.name()
                        )));
                    };
                    must_count_the_same(left, quantity)?;
                    self.at += 1;
                    sum.quantities.push((plus, quantity));
                }
                _ => return Err(bad(format!("a number is missing where {} is", self.found()))),
            }
            plus = match self.peek() {
                Some(Token::Sign("+")) => true,
                Some(Token::Sign("-")) => false,
                _ => return Ok(sum),
            };
            self.at += 1;
        }
    }
}

fn must_count_the_same(left: Quantity, right: Quantity) -> Result<(), BadCondition> {
    let (a, b) = (left.dimension(), right.dimension());
    if a == b {
        return Ok(());
    }
    Err(bad(format!("{:?} counts {} and {:?} counts {}", left.name(), a.unit(), right.name(), b.unit())))
}

fn in_unit_of(left: Quantity, value: f64, unit: Option<&str>) -> Result<f64, BadCondition> {
    let dimension = left.dimension();
    let Some(unit) = unit else { return Ok(value) };
    match Dimension::of_unit(unit) {
        Some((of, scale)) if of == dimension => Ok(value * scale),
        _ => Err(bad(format!("{:?} counts {}, not {unit:?}", left.name(), dimension.unit()))),
    }
}

fn known(name: &str) -> Result<Word, BadCondition> {
    Word::find(name).ok_or_else(|| {
        let all = Word::all();
        let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
        bad(match nearest(name, &names) {
            Some(near) => format!("there is no {name:?}; did you mean {near:?}?"),
            None => format!("there is no {name:?}; a condition can name {}", names.join(", ")),
        })
    })
}

fn duration(value: f64, unit: &str) -> Option<Duration> {
    let seconds = match unit {
        "ms" => value / 1000.0,
        "s" => value,
        "min" => value * 60.0,
        "h" => value * 3600.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(seconds).ok()
}

/// A time such as `30s`, `5min` or `1h`.
pub fn read_duration(text: &str) -> Option<Duration> {
    match tokens(text).ok()?.as_slice() {
        [Token::Number(value, Some(unit))] => duration(*value, unit),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::power::Role;
    use crate::model::sun::Flag;

    fn read(text: &str) -> Expr {
        text.parse::<Condition>().unwrap_or_else(|why| panic!("{text}: {why}")).expr
    }

    fn refused(text: &str) -> String {
        text.parse::<Condition>().expect_err(text).to_string()
    }

    #[test]
    fn the_conditions_that_people_write() {
        let soc = Expr::Compare(
            Quantity::Role(Role::BatterySoc),
            Op::Less,
            Sum { quantities: Vec::new(), number: 20.0, dimension: Dimension::Percent },
        );
        assert_eq!(read("battery_soc < 20 for 30s"), Expr::For(Box::new(soc.clone()), Duration::from_secs(30)));
        assert_eq!(read("battery_soc<20%"), soc);
        let lost = Expr::Is { choice: Choice::Grid, word: "lost", equal: true };
        assert_eq!(read("grid = lost for 10s"), Expr::For(Box::new(lost.clone()), Duration::from_secs(10)));
        assert_eq!(read("inverter_fault"), Expr::Flag(Flag::InverterFault));
        let Expr::Compare(Quantity::MinutesLeft, Op::Less, sum) = read("minutes_left < park_time + 5min") else {
            panic!("no comparison")
        };
        assert_eq!((sum.quantities, sum.number), (vec![(true, Quantity::ParkTime)], 5.0));
        assert_eq!(read("all(grid = lost, battery_soc < 20)"), read("grid = lost and battery_soc < 20 %"));
        assert_eq!(read("any(grid = lost, overload)"), Expr::Any(vec![lost, Expr::Flag(Flag::Overload)]));
        let Expr::Compare(_, _, watts) = read("spare_power < 2.2 kW") else { panic!("no comparison") };
        assert_eq!(watts.number, 2200.0);
    }

    #[test]
    fn and_binds_closer_than_or_and_for_closest() {
        assert_eq!(
            read("overload or inverter_fault and spindle_on for 2s"),
            read("any(overload, all(inverter_fault, (spindle_on) for 2s))")
        );
    }

    #[test]
    fn mistakes_are_named() {
        for (text, expected) in [
            ("batery_soc < 20", "there is no \"batery_soc\"; did you mean \"battery_soc\"?"),
            ("moon > 3", "there is no \"moon\"; a condition can name pv_power"),
            ("battery_soc < 20 W", "\"battery_soc\" counts %, not \"W\""),
            ("battery_soc < load_power", "\"battery_soc\" counts % and \"load_power\" counts W"),
            ("battery_soc = 20", "\"battery_soc\" is a number: compare it by <, <=, > or >=, not by \"=\""),
            ("battery_soc <", "a number is missing where its end is"),
            ("grid = los", "grid is never \"los\": it is one of there, lost; did you mean \"lost\"?"),
            (
                "program = run",
                "program is never \"run\": it is one of none, running, paused, stopping; did you mean \"running\"?",
            ),
            ("grid < 3", "\"grid\" is one of there, lost: write grid = lost"),
            ("grid = lost for 10", "\"for\" needs a time such as 30s, 5min or 1h, but is followed by \"10\""),
            ("grid = lost for 0s", "\"for\" takes a time from 1ms to 24h"),
            ("(grid = lost", "a bracket is not closed: there should be \")\" where its end is"),
            ("overload overload", "\"overload\" is not expected here; join conditions by \"and\" or \"or\""),
            ("", "a condition begins with a name, such as battery_soc, not with its end"),
            ("20 > battery_soc", "a condition begins with a name, such as battery_soc, not with \"20\""),
            ("load_power > 1.2.3", "\"1.2.3\" is no number"),
            ("load_power > 5 ; stop", "';' means nothing in a condition"),
            ("load_power > overload", "\"overload\" is no number, so \"load_power\" cannot be compared with it"),
        ] {
            let why = refused(text);
            assert!(why.starts_with(expected), "{text}: {why}");
        }
        assert!(refused(&"(".repeat(500)).contains("brackets in brackets"));
        assert!(refused(&"not ".repeat(200)).contains("brackets in brackets"));
        assert!(refused(&"x".repeat(2000)).contains("longer"));
    }

    #[test]
    fn comparisons_that_always_come_out_the_same_are_told() {
        for (text, expected) in [
            ("battery_soc < 150", "battery_soc < 150 % always holds: battery_soc lies from 0 to 100 %"),
            ("load_power < -5", "load_power < -5 W never holds: load_power is never below 0"),
            ("not (battery_soc > 100)", "battery_soc > 100 % never holds"),
            ("park_time < 5min for 2s", "park_time < 5 min compares nothing that is measured"),
        ] {
            let told = read(text).senseless();
            assert!(matches!(told.as_slice(), [one] if one.starts_with(expected)), "{text}: {told:?}");
        }
        for text in ["battery_soc < 100", "grid_power < -5", "surplus > -100", "minutes_left < park_time + 5min"] {
            assert_eq!(read(text).senseless(), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn durations() {
        assert_eq!(read_duration("1500ms"), Some(Duration::from_millis(1500)));
        assert_eq!(read_duration("2 h"), Some(Duration::from_secs(7200)));
        assert_eq!((read_duration("5"), read_duration("5 kW")), (None, None));
    }

    fn condition() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            (0..100_u32, prop::sample::select(vec!["battery_soc <", "load_percent >=", "pv_power >"]))
                .prop_map(|(n, head)| format!("{head} {n}")),
            prop::sample::select(vec!["grid = lost", "machine != run", "program = running", "overload"])
                .prop_map(str::to_owned),
            (1..90_u32).prop_map(|n| format!("minutes_left < park_time + {n}min")),
        ];
        leaf.prop_recursive(4, 24, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("all({})", parts.join(", "))),
                prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("any({})", parts.join(", "))),
                inner.clone().prop_map(|part| format!("not ({part})")),
                (inner, 1..4000_u32).prop_map(|(part, s)| format!("({part}) for {s}s")),
            ]
        })
    }

    proptest! {
        /// What is printed of a condition is read as the same condition.
        #[test]
        fn what_is_printed_can_be_read(text in condition()) {
            let expr = read(&text);
            prop_assert_eq!(read(&expr.to_string()), expr);
        }

        /// Nothing that anybody writes makes it fail in another way than by saying what is wrong.
        #[test]
        fn any_text_is_read_or_refused(text in "[a-z_ <>=!(),+%°0-9.-]{0,60}") {
            if let Ok(condition) = text.parse::<Condition>() {
                let printed = condition.expr.to_string();
                prop_assert_eq!(read(&printed).to_string(), printed);
            }
        }
    }
}
