use proptest::prelude::*;

use super::super::motion::{Plane, Point};
use super::*;
use crate::model::AxisVec;
use crate::model::machine::Limits;
use crate::model::program::report::{Frame, WaitFor};

fn model(rate: f64, accel: f64) -> EstimateModel {
    let limits = Limits {
        max_rate_mm_min: AxisVec::from_slice(&[rate, rate, rate / 3.0]),
        acceleration_mm_s2: AxisVec::from_slice(&[accel, accel, accel / 2.0]),
        ..Limits::default()
    };
    EstimateModel::of(Some(&limits), None, None)
}

fn point(x: f64, y: f64, z: f64) -> Point {
    let mut point = [0.0; MAX_AXES];
    point[..3].copy_from_slice(&[x, y, z]);
    point
}

fn straight(from: Point, to: Point, speed: Speed) -> Straight {
    Straight { from, known: 0b111, to, axes: 0x1FF, named: 0b111, frame: Frame::Active, speed }
}

/// Lines from place to place.
fn chain(places: &[Point], speed: Speed) -> Vec<Motion> {
    places.windows(2).map(|pair| Motion::Straight(straight(pair[0], pair[1], speed))).collect()
}

fn times(model: EstimateModel, motions: &[Motion]) -> Times {
    let mut estimator = Estimator::new(model);
    motions.iter().zip(1..).for_each(|(motion, line)| estimator.add(motion, line));
    estimator.finish().times
}

fn total(model: EstimateModel, motions: &[Motion]) -> f64 {
    times(model, motions).total_s()
}

fn is_about(value: f64, expected: f64) {
    assert!((value - expected).abs() < 1e-6 * expected.max(1.0), "{value}, not {expected}");
}

#[test]
fn a_single_move_is_a_trapezoid_or_a_triangle() {
    let along = |x: f64, speed| chain(&[point(0.0, 0.0, 0.0), point(x, 0.0, 0.0)], speed);
    // 20 mm at 10 mm/s, and one ramp of 10/200 s more.
    is_about(total(model(3000.0, 200.0), &along(20.0, Speed::MmMin(600.0))), 2.05);
    // 2 mm: 50 mm/s are never reached. t = 2·√(d/a).
    is_about(total(model(3000.0, 200.0), &along(2.0, Speed::Rapid)), 0.2);
    // Inverse time: 20 mm in 4 s, 5 mm/s.
    is_about(total(model(3000.0, 200.0), &along(20.0, Speed::Seconds(4.0))), 4.025);
}

#[test]
fn a_slow_axis_slows_the_whole_vector() {
    // Z goes at 1000 mm/min: along the diagonal of X and Z √2 times as much.
    let there = chain(&[point(0.0, 0.0, 0.0), point(300.0, 0.0, 300.0)], Speed::Rapid);
    let (speed, accel) = (1000.0 / 60.0 * 2.0_f64.sqrt(), 100.0 * 2.0_f64.sqrt());
    is_about(total(model(3000.0, 200.0), &there), 300.0 * 2.0_f64.sqrt() / speed + speed / accel);
}

#[test]
fn pieces_of_a_line_take_as_long_as_the_line() {
    let places: Vec<_> = (0..=100).map(|n| point(f64::from(n), 0.0, 0.0)).collect();
    let whole = total(model(3000.0, 200.0), &chain(&[places[0], places[100]], Speed::MmMin(1200.0)));
    is_about(total(model(3000.0, 200.0), &chain(&places, Speed::MmMin(1200.0))), whole);
}

/// What is queued bounds the speed: fifteen pieces of 0.01 mm are braked for, whatever comes behind them.
#[test]
fn short_pieces_are_slow_because_so_few_are_queued() {
    let places: Vec<_> = (0..=10_000).map(|n| point(f64::from(n) * 0.01, 0.0, 0.0)).collect();
    let chain = chain(&places, Speed::MmMin(3000.0));
    let time = total(model(3000.0, 200.0), &chain);
    // v² = 2·200·0.15 on 100 mm.
    let slow = 100.0 / (2.0_f64 * 200.0 * 0.15).sqrt();
    assert!((time / slow - 1.0).abs() < 0.1, "{time} against {slow}");
    let far = EstimateModel { planner_blocks: 100, ..model(3000.0, 200.0) };
    assert!(total(far, &chain) < time / 2.0);
}

#[test]
fn a_corner_is_taken_at_the_speed_of_the_junction_deviation() {
    let corner = chain(&[point(0.0, 0.0, 0.0), point(50.0, 0.0, 0.0), point(50.0, 50.0, 0.0)], Speed::MmMin(600.0));
    // v² = a·δ·sin/(1 − sin) with sin of 45°, a along the bisector √2 · 200.
    let sin = 0.5_f64.sqrt();
    let v = (200.0 * 2.0_f64.sqrt() * 0.01 * sin / (1.0 - sin)).sqrt();
    // Each leg: one full ramp and one from or to v.
    let leg = 10.0 / 200.0 + (10.0 - v) / 200.0 + (50.0 - 100.0 / 400.0 - (100.0 - v * v) / 400.0) / 10.0;
    is_about(total(model(3000.0, 200.0), &corner), 2.0 * leg);
    let back = chain(&[point(0.0, 0.0, 0.0), point(50.0, 0.0, 0.0), point(0.0, 0.0, 0.0)], Speed::MmMin(600.0));
    is_about(total(model(3000.0, 200.0), &back), 2.0 * 5.05);
}

#[test]
fn a_circle_is_bound_by_what_the_axes_can_turn() {
    let circle = |radius: f64, feed: f64| {
        [Motion::Arc(Arc {
            ends: straight(point(radius, 0.0, 0.0), point(radius, 0.0, 0.0), Speed::MmMin(feed)),
            plane: Plane::Xy,
            centre: [0.0, 0.0],
            radius_mm: radius,
            sweep_rad: std::f64::consts::TAU,
        })]
    };
    let slow = total(model(6000.0, 200.0), &circle(20.0, 600.0));
    let expected = std::f64::consts::TAU * 20.0 / 10.0 + 0.05;
    assert!((slow / expected - 1.0).abs() < 0.002, "{slow} against {expected}");
    let fast = total(model(60_000.0, 200.0), &circle(20.0, 60_000.0));
    assert!(fast > 1.0 && fast < slow, "1 m/s cannot be kept on a circle of 20 mm: {fast}");
    assert!(total(model(3000.0, 200.0), &circle(0.0, 600.0)) == 0.0);
}

#[test]
fn dwells_and_waits_stop_the_machine() {
    let half = |from: f64, to: f64| {
        Motion::Straight(straight(point(from, 0.0, 0.0), point(to, 0.0, 0.0), Speed::MmMin(600.0)))
    };
    let flowing = total(model(3000.0, 200.0), &[half(0.0, 10.0), half(10.0, 20.0)]);
    is_about(flowing, 2.05);
    let dwell = times(model(3000.0, 200.0), &[half(0.0, 10.0), Motion::Dwell(1.5), half(10.0, 20.0)]);
    is_about(dwell.cutting_s, 2.1);
    is_about(dwell.dwell_s, 1.5);
    let wait = times(model(3000.0, 200.0), &[half(0.0, 10.0), Motion::Wait(WaitFor::Person), half(10.0, 20.0)]);
    is_about(wait.total_s(), 2.1);
}

#[test]
fn rapids_are_counted_apart_and_unknown_ways_not_at_all() {
    let mut first = straight(point(0.0, 0.0, 0.0), point(100.0, 0.0, 0.0), Speed::Rapid);
    first.known = 0;
    let motions = [
        Motion::Straight(first),
        Motion::Straight(straight(point(100.0, 0.0, 0.0), point(0.0, 0.0, 0.0), Speed::Rapid)),
        Motion::Wait(WaitFor::Person),
        Motion::Straight(straight(point(0.0, 0.0, 0.0), point(20.0, 0.0, 0.0), Speed::MmMin(600.0))),
    ];
    let times = times(model(3000.0, 200.0), &motions);
    is_about(times.rapid_s, 100.0 / 50.0 + 0.25);
    is_about(times.cutting_s, 2.05);
}

#[test]
fn feed_per_revolution_follows_the_spindle() {
    let motion = chain(&[point(0.0, 0.0, 0.0), point(20.0, 0.0, 0.0)], Speed::MmRev(0.5));
    let mut estimator = Estimator::new(model(3000.0, 200.0));
    estimator.spindle(1200.0);
    estimator.add(&motion[0], 1);
    is_about(estimator.finish().times.total_s(), 2.05);
}

#[test]
fn the_timeline_rises_to_the_end_and_is_bounded() {
    let places: Vec<_> = (0..=5000).map(|n| point(f64::from(n % 2), f64::from(n), 0.0)).collect();
    let mut estimator = Estimator::new(model(3000.0, 200.0));
    for (motion, line) in chain(&places, Speed::MmMin(600.0)).iter().zip(1..) {
        estimator.add(motion, line);
    }
    let Estimate { times, timeline: points, .. } = estimator.finish();
    assert!(points.len() > MOST_POINTS / 4 && points.len() <= MOST_POINTS, "{}", points.len());
    assert!(points.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1));
    assert_eq!(points.last(), Some(&(5000, times.total_s() as f32)));
    let half = points.iter().find(|(line, _)| *line >= 2500).unwrap().1;
    assert!((f64::from(half) / times.total_s() - 0.5).abs() < 0.01, "all lines take the same time");
}

fn places() -> impl Strategy<Value = Vec<Point>> {
    let place = (-20.0..20.0_f64, -20.0..20.0_f64, -3.0..3.0_f64).prop_map(|(x, y, z)| point(x, y, z));
    let near = (0.0..0.3_f64, 0.0..0.1_f64).prop_map(|(x, y)| point(x, y, 0.0));
    prop::collection::vec(prop_oneof![place, near], 2..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// No program is faster than its way at the feed, nor than the machine's top rate.
    #[test]
    fn never_faster_than_the_feed(places in places(), feed in 10.0..10_000.0_f64) {
        let way: f64 = places.windows(2).map(|pair| {
            let delta: Vec<f64> = (0..3).map(|i| pair[1][i] - pair[0][i]).collect();
            delta.iter().map(|v| v * v).sum::<f64>().sqrt()
        }).sum();
        let time = total(model(3000.0, 200.0), &chain(&places, Speed::MmMin(feed)));
        prop_assert!(time >= way / (feed / 60.0) * (1.0 - 1e-9), "{time}");
        let rapid = total(model(3000.0, 200.0), &chain(&places, Speed::Rapid));
        prop_assert!(rapid <= time * (1.0 + 1e-9), "{rapid} against {time}");
    }

    /// A faster feed, a stronger machine and a longer queue never make it slower.
    #[test]
    fn more_is_never_slower(places in places(), feed in 10.0..5000.0_f64, more in 1.0..5.0_f64) {
        let at = |factor: f64| chain(&places, Speed::MmMin(feed * factor));
        let base = total(model(3000.0, 200.0), &at(1.0)) * (1.0 + 1e-9);
        prop_assert!(total(model(3000.0, 200.0), &at(more)) <= base);
        prop_assert!(total(model(3000.0 * more, 200.0), &at(1.0)) <= base);
        prop_assert!(total(model(3000.0, 200.0 * more), &at(1.0)) <= base);
        let queue = EstimateModel { planner_blocks: (15.0 * more) as usize, ..model(3000.0, 200.0) };
        prop_assert!(total(queue, &at(1.0)) <= base);
    }

    /// The time so far never falls, and no block takes less than none.
    #[test]
    fn time_only_rises(places in places(), feed in 10.0..5000.0_f64) {
        let mut estimator = Estimator::new(model(3000.0, 200.0));
        let mut before = 0.0;
        for (motion, line) in chain(&places, Speed::MmMin(feed)).iter().zip(1..) {
            estimator.add(motion, line);
            prop_assert!(estimator.seconds() >= before);
            before = estimator.seconds();
        }
        prop_assert!(estimator.finish().times.total_s() >= before);
    }
}
