use super::*;

#[test]
fn invert_knows_every_axis() {
    let invert = Invert { c: true, ..Invert::default() };
    let inverted: Vec<char> =
        (0..9).filter_map(Axis::from_index).filter(|a| invert.get(*a)).map(Axis::letter).collect();
    assert_eq!(inverted, ['C']);
}

#[test]
fn defaults_are_among_their_presets() {
    let jog = Jog::default();
    assert_eq!(jog.steps_mm[jog.step_index()], jog.step);
    assert_eq!(jog.feeds_mm_min[jog.feed_index()], jog.feed);
}
