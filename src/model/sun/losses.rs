//! What is lost on the way into a battery and out of it. Pure.

/// What comes out of a battery of what goes in.
///
/// 4 % each in charging, discharging and the inverter is what Predbat advises for hybrids (springfall2008/batpred,
/// docs/configuration-guide.md); what people measure lies around that, 13 to 15 % on both ways together.
pub const ROUND_TRIP: f64 = 0.885;

/// Half of the losses are met on either way: what goes in of a Wh, and what comes out of one.
pub fn one_way() -> f64 {
    ROUND_TRIP.sqrt()
}

/// What is assumed, in words.
pub fn assumed() -> String {
    format!("{:.0} % lost on the way into the battery, and again on the way out", (1.0 - one_way()) * 100.0)
}
