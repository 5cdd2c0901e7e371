use proptest::prelude::*;

use super::super::motion::Plane;
use super::*;

fn point(x: f64, y: f64, z: f64) -> Point {
    let mut point = [0.0; 9];
    point[..3].copy_from_slice(&[x, y, z]);
    point
}

fn straight(from: Point, to: Point, speed: Speed) -> Straight {
    Straight { from, known: 0b111, to, axes: 0x1FF, named: 0b111, frame: Frame::Work(1), speed }
}

fn cut(from: Point, to: Point) -> Motion {
    Motion::Straight(straight(from, to, Speed::MmMin(100.0)))
}

fn rapid(from: Point, to: Point) -> Motion {
    Motion::Straight(straight(from, to, Speed::Rapid))
}

/// Moves from place to place; each a cut unless it is marked a rapid.
fn moves(places: &[(Point, bool)]) -> Vec<Motion> {
    let pairs = places.iter().zip(&places[1..]);
    pairs.map(|((from, _), (to, is_rapid))| if *is_rapid { rapid(*from, *to) } else { cut(*from, *to) }).collect()
}

fn build(motions: &[Motion], bound: usize) -> Toolpath {
    let mut builder = PathBuilder::with_bound(bound);
    for (n, motion) in motions.iter().enumerate() {
        builder.add(motion, n as u64 + 1);
        assert!(builder.corners.len() <= bound, "{} corners", builder.corners.len());
    }
    builder.finish()
}

fn to_f64(place: [f32; 3]) -> [f64; 3] {
    place.map(f64::from)
}

/// Distance of a place from a straight piece.
fn off(place: [f64; 3], from: [f64; 3], to: [f64; 3]) -> f64 {
    let along: Vec<f64> = (0..3).map(|i| to[i] - from[i]).collect();
    let square: f64 = along.iter().map(|v| v * v).sum();
    let product: f64 = (0..3).map(|i| (place[i] - from[i]) * along[i]).sum();
    let part = if square > 0.0 { (product / square).clamp(0.0, 1.0) } else { 0.0 };
    (0..3).map(|i| (from[i] + along[i] * part - place[i]).powi(2)).sum::<f64>().sqrt()
}

/// The farthest that a sample of `pieces` is from all of `others`.
fn farthest(pieces: &[([f64; 3], [f64; 3])], others: &[([f64; 3], [f64; 3])]) -> f64 {
    let mut most = 0.0_f64;
    for (from, to) in pieces {
        for n in 0..=4_u8 {
            let place: [f64; 3] = std::array::from_fn(|i| from[i] + (to[i] - from[i]) * f64::from(n) / 4.0);
            let nearest = others.iter().map(|(a, b)| off(place, *a, *b)).fold(f64::INFINITY, f64::min);
            most = most.max(nearest);
        }
    }
    most
}

fn pieces(level: &Level) -> Vec<([f64; 3], [f64; 3])> {
    level.strokes().map(|stroke| (to_f64(stroke.from), to_f64(stroke.to))).collect()
}

fn walk() -> impl Strategy<Value = Vec<(Point, bool)>> {
    // Small steps that go on, so that there is something to join, and a big one now and then.
    let step = (prop_oneof![9 => -0.02..0.02_f64, 1 => -40.0..40.0_f64], -0.02..0.05_f64, -0.005..0.005_f64);
    prop::collection::vec((step, prop::bool::weighted(0.1)), 2..250).prop_map(|steps| {
        let mut at = point(0.0, 0.0, 0.0);
        let mut places = vec![(at, false)];
        for ((x, y, z), is_rapid) in steps {
            at = point(at[0] + x, at[1] + y, at[2] + z);
            places.push((at, is_rapid));
        }
        places
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_level_leaves_the_original_by_more_than_it_says(places in walk(), bound in 4_usize..300) {
        let motions = moves(&places);
        let path = build(&motions, bound);
        let original: Vec<_> = motions.iter().map(|motion| {
            let Motion::Straight(straight) = motion else { unreachable!() };
            (to_f64(place(&straight.from)), to_f64(place(&straight.to)))
        }).collect();
        for level in &path.levels {
            let drawn = pieces(level);
            let allowed = f64::from(level.tolerance_mm) * 1.001 + 1e-4;
            prop_assert!(farthest(&drawn, &original) <= allowed, "drawn beside the path");
            prop_assert!(farthest(&original, &drawn) <= allowed, "part of the path is missing");
        }
    }

    #[test]
    fn bounds_are_those_of_all_places(places in walk()) {
        let path = build(&moves(&places), 40);
        for axis in 0..3 {
            let all = places.iter().map(|(place, _)| place[axis] as f32);
            prop_assert_eq!(path.min[axis], all.clone().fold(f32::INFINITY, f32::min));
            prop_assert_eq!(path.max[axis], all.fold(f32::NEG_INFINITY, f32::max));
        }
    }
}

#[test]
fn a_straight_line_in_pieces_is_one_stroke() {
    let places: Vec<_> = (0..=1000).map(|n| (point(f64::from(n) * 0.1, f64::from(n) * 0.05, 0.0), false)).collect();
    let path = build(&moves(&places), 100);
    let strokes: Vec<_> = path.finest().unwrap().strokes().collect();
    assert_eq!(strokes.len(), 1);
    assert_eq!((strokes[0].from, strokes[0].to, strokes[0].line), ([0.0; 3], [100.0, 50.0, 0.0], 1000));
}

#[test]
fn going_back_and_forth_is_kept() {
    let places = [0.0, 10.0, 4.0, 12.0].map(|x| (point(x, 0.0, 0.0), false));
    assert_eq!(build(&moves(&places), 100).finest().unwrap().strokes().count(), 3);
}

#[test]
fn rapids_stay_apart_from_cuts() {
    let places = [(0.0, false), (5.0, true), (9.0, true), (20.0, false), (30.0, true)];
    let path = build(&moves(&places.map(|(x, is_rapid)| (point(x, 0.0, 0.0), is_rapid))), 100);
    let strokes: Vec<_> = path.finest().unwrap().strokes().map(|s| (s.to[0], s.rapid, s.line)).collect();
    assert_eq!(strokes, [(9.0, true, 2), (20.0, false, 3), (30.0, true, 4)]);
}

/// Holes, each with rapids to it and out of it.
fn holes(places: impl Iterator<Item = (u32, u32)>) -> Vec<Motion> {
    let mut corners = vec![(point(0.0, 0.0, 5.0), false)];
    for (x, y) in places.map(|(x, y)| (f64::from(x), f64::from(y))) {
        corners.push((point(x, y, 5.0), true));
        corners.push((point(x, y, -1.0), false));
        corners.push((point(x, y, 5.0), true));
    }
    moves(&corners)
}

/// Strokes of another kind follow each other: only small ones near each other can be joined.
#[test]
fn the_bound_holds_for_what_joins_badly() {
    let rows = (0..70).flat_map(|y| (0..70).map(move |x| (if y % 2 == 0 { x } else { 69 - x }, y)));
    let path = build(&holes(rows), 512);
    let finest = path.finest().unwrap();
    assert!(finest.corners.len() <= 512 && finest.corners.len() > 100, "{}", finest.corners.len());
    assert!(finest.tolerance_mm < 40.0, "{}", finest.tolerance_mm);
    assert_eq!((path.min, path.max), ([0.0, 0.0, -1.0], [69.0, 69.0, 5.0]));

    let scattered = (0..5000_u32).map(|n| (n * 7919 % 997, n * 104_729 % 991));
    let path = build(&holes(scattered), 512);
    assert!(path.finest().unwrap().corners.len() <= 512 && !path.is_empty());
}

#[test]
fn a_long_path_has_coarser_levels_within_its_memory() {
    let places: Vec<_> = (0..200_000_u32)
        .map(|n| {
            let angle = f64::from(n) * 0.01;
            let radius = f64::from(n) * 0.001;
            (point(radius * angle.cos(), radius * angle.sin(), 0.0), false)
        })
        .collect();
    let path = build(&moves(&places), MOST_CORNERS);
    let counts: Vec<_> = path.levels.iter().map(|level| level.corners.len()).collect();
    assert!(counts.len() > 2 && counts.windows(2).all(|pair| pair[1] * 2 <= pair[0]), "{counts:?}");
    assert!(path.levels.windows(2).all(|pair| pair[0].tolerance_mm < pair[1].tolerance_mm));
    assert!(path.bytes() <= 16 << 20, "{}", path.bytes());
}

#[test]
fn an_arc_is_chords_within_the_tolerance() {
    let quarter = Arc {
        ends: straight(point(10.0, 0.0, 0.0), point(0.0, 10.0, 2.0), Speed::MmMin(100.0)),
        plane: Plane::Xy,
        centre: [0.0, 0.0],
        radius_mm: 10.0,
        sweep_rad: std::f64::consts::FRAC_PI_2,
    };
    let path = build(&[Motion::Arc(quarter)], 100);
    let level = path.finest().unwrap();
    let strokes: Vec<_> = level.strokes().collect();
    assert!(strokes.len() > 10, "{}", strokes.len());
    for stroke in &strokes {
        let middle: Vec<f32> = (0..2).map(|i| f32::midpoint(stroke.from[i], stroke.to[i])).collect();
        let radius = middle[0].hypot(middle[1]);
        assert!((10.0 - radius).abs() <= level.tolerance_mm, "{radius}");
    }
    assert_eq!(strokes.last().unwrap().to, [0.0, 10.0, 2.0]);
}

#[test]
fn what_is_not_known_is_not_drawn() {
    let first = Straight { known: 0, ..straight(point(0.0, 0.0, 0.0), point(10.0, 10.0, 5.0), Speed::Rapid) };
    let lift =
        Straight { frame: Frame::Machine, ..straight(point(0.0, 0.0, 0.0), point(0.0, 0.0, -1.0), Speed::Rapid) };
    let path = build(
        &[
            Motion::Straight(first),
            cut(point(10.0, 10.0, 5.0), point(20.0, 10.0, 5.0)),
            Motion::Straight(lift),
            cut(point(20.0, 20.0, 5.0), point(30.0, 20.0, 5.0)),
            Motion::Unknown,
            cut(point(0.0, 0.0, 0.0), point(f64::NAN, 0.0, 0.0)),
        ],
        100,
    );
    let strokes: Vec<_> = path.finest().unwrap().strokes().map(|s| (s.from, s.to)).collect();
    assert_eq!(strokes, [([10.0, 10.0, 5.0], [20.0, 10.0, 5.0]), ([20.0, 20.0, 5.0], [30.0, 20.0, 5.0])]);
    assert!(path.partial);
    assert_eq!((path.min, path.max), ([10.0, 10.0, 5.0], [30.0, 20.0, 5.0]));
    assert_eq!(path.frames, [Frame::Work(1)]);
}

#[test]
fn nothing_is_an_empty_path() {
    let path = build(&[Motion::Dwell(1.0), Motion::Unknown], 10);
    assert!(path.is_empty() && path.levels.is_empty() && path.min == [0.0; 3]);
}
