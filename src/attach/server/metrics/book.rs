//! Numbers as they are gathered for a page.

use std::fmt;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

/// Names and values of labels.
pub(super) type Labels = Vec<(&'static str, String)>;

/// A name: without the prefix and without the unit, which is put behind it.
pub(super) struct Name {
    text: &'static str,
    unit: Option<&'static str>,
    help: &'static str,
}

/// A name without a unit.
pub(super) const fn plain(name: &'static str, help: &'static str) -> Name {
    Name { text: name, unit: None, help }
}

/// A name in a base unit.
pub(super) const fn in_unit(name: &'static str, unit: &'static str, help: &'static str) -> Name {
    Name { text: name, unit: Some(unit), help }
}

/// What is on the page.
#[derive(Debug)]
pub(super) struct Book(Registry);

impl Book {
    pub(super) fn new() -> Self {
        Self(Registry::with_prefix("sunmill"))
    }

    /// Facts that do not change.
    pub(super) fn info(&mut self, name: &'static str, help: &'static str, labels: Labels) {
        self.0.register(name, help, Info::new(labels));
    }

    /// Values that go up and down. One that is not known is left out, and a name without any too.
    pub(super) fn gauge(&mut self, name: &Name, values: impl IntoIterator<Item = (Labels, Option<f64>)>) {
        let family = Family::<Labels, Gauge<f64, AtomicU64>>::default();
        let known = known(values);
        for (labels, value) in &known {
            family.get_or_create(labels).set(*value);
        }
        self.add(name, !known.is_empty(), family);
    }

    /// Values that only rise.
    pub(super) fn counter(&mut self, name: &Name, values: impl IntoIterator<Item = (Labels, Option<f64>)>) {
        let family = Family::<Labels, Counter<f64, AtomicU64>>::default();
        let known = known(values);
        if let [(labels, value)] = known.as_slice()
            && labels.is_empty()
        {
            let counter = Counter::<f64, AtomicU64>::default();
            counter.inc_by(*value);
            return self.add(name, true, counter);
        }
        for (labels, value) in &known {
            family.get_or_create(labels).inc_by(*value);
        }
        self.add(name, !known.is_empty(), family);
    }

    fn add(&mut self, name: &Name, any: bool, metric: impl prometheus_client::registry::Metric) {
        match name.unit {
            _ if !any => {}
            Some(unit) => self.0.register_with_unit(name.text, name.help, Unit::Other(unit.to_owned()), metric),
            None => self.0.register(name.text, name.help, metric),
        }
    }

    /// All of it, as text.
    pub(super) fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.0)?;
        Ok(text)
    }
}

/// Those that are numbers.
fn known(values: impl IntoIterator<Item = (Labels, Option<f64>)>) -> Vec<(Labels, f64)> {
    let known = values.into_iter().filter_map(|(labels, value)| Some((labels, value?)));
    known.filter(|(_, value)| value.is_finite()).collect()
}
