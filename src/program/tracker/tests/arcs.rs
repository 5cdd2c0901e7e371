use std::f64::consts::{PI, TAU};

use super::*;
use crate::program::motion::Plane;

const HEAD: &str = "G21 G90 M3 S1 F100\n";

fn arcs(program: &str) -> Vec<Arc> {
    let read = read(&format!("{HEAD}{program}"));
    assert_eq!(read.errors(), Vec::<String>::new(), "{program}");
    read.arcs()
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9
}

#[test]
fn arcs_turn_as_they_are_written() {
    for (program, centre, radius, sweep) in [
        ("G0 X0 Y0\nG2 X10 Y0 I5 J0", [5.0, 0.0], 5.0, -PI),
        ("G0 X0 Y0\nG3 X10 Y0 I5", [5.0, 0.0], 5.0, PI),
        ("G0 X0 Y0\nG2 X0 Y0 I5", [5.0, 0.0], 5.0, -TAU),
        ("G0 X0 Y0\nG3 X0 I-5", [-5.0, 0.0], 5.0, TAU),
        ("G0 X10 Y0\nG3 X0 Y10 R10", [0.0, 0.0], 10.0, PI / 2.0),
        ("G0 X10 Y0\nG2 X0 Y10 R10", [10.0, 10.0], 10.0, -PI / 2.0),
        ("G0 X10 Y0\nG3 X0 Y10 R-10", [10.0, 10.0], 10.0, 1.5 * PI),
        ("G0 X0 Y0\nG3 X10 Y0 I5 P3", [5.0, 0.0], 5.0, PI + 2.0 * TAU),
        ("G0 X1 Y1\nG91 G2 X10 Y0 I5", [6.0, 1.0], 5.0, -PI),
        ("G20 G0 X0 Y0\nG2 X1 Y0 I0.5", [12.7, 0.0], 12.7, -PI),
    ] {
        let arc = arcs(program)[0];
        assert!(near(arc.centre[0], centre[0]) && near(arc.centre[1], centre[1]), "{program}: {:?}", arc.centre);
        assert!(
            near(arc.radius_mm, radius) && near(arc.sweep_rad, sweep),
            "{program}: {} {}",
            arc.radius_mm,
            arc.sweep_rad
        );
    }
}

#[test]
fn every_plane_has_its_axes() {
    for (program, plane, across) in [
        ("G17\nG0 X0 Y0 Z0\nG3 X0 Y2 Z5 J1", Plane::Xy, 5.0),
        ("G18\nG0 X0 Y0 Z0\nG3 Z0 X2 Y5 I1", Plane::Zx, 5.0),
        ("G19\nG0 X0 Y0 Z0\nG3 Y0 Z2 X5 K1", Plane::Yz, 5.0),
    ] {
        let arc = arcs(program)[0];
        let (first, second, linear) = plane.axes();
        assert_eq!((arc.plane, arc.ends.to[linear]), (plane, across), "{program}");
        assert_eq!((arc.centre, arc.ends.to[first], arc.ends.to[second]), ([0.0, 1.0], 0.0, 2.0), "{program}");
        assert!(near(arc.sweep_rad.abs(), PI) && near(arc.radius_mm, 1.0));
    }
}

#[test]
fn arcs_that_cannot_be_are_named_with_their_radii() {
    let problem = |program: &str| read(&format!("{HEAD}{program}")).problems.into_iter().next().expect("a problem");
    let found = problem("G0 X0 Y0\nG2 X10 Y0 I4 J0");
    assert_eq!((found.line, found.kind.as_str(), found.severity), (3, "arc-radius", Severity::Error));
    assert!(found.text.contains("4.0000 mm at the start and 6.0000 mm at the end"), "{}", found.text);
    assert!(
        problem("G0 X0 Y0\nG2 X10 Y0 R4.9").text.contains("4.9000 mm cannot join points that are 10.0000 mm apart")
    );
    for (program, kind) in [
        ("G0 X0 Y0\nG2 X0 Y0 R5", "arc-target"),
        ("G0 X0 Y0\nG2 X5 Y0", "arc-without-centre"),
        ("G0 X0 Y0\nG2 I5", "arc-without-target"),
        ("G0 X0 Y0\nG18 G2 X5 Y0 J5", "arc-without-centre"),
        ("G0 X0 Y0\nG2 X10 Y0 I5 P1.5", "arc-turns"),
        ("G0 X0 Y0\nG2 X10 Y0 I5 R5", "unused-words"),
    ] {
        assert_eq!(problem(program).kind, kind, "{program}");
    }
}

#[test]
fn the_slack_is_that_of_the_firmware() {
    let is_refused = |program: &str| !read(&format!("{HEAD}G0 X0 Y0\n{program}")).errors().is_empty();
    // 0.004 mm on a small arc; 0.02 mm on a small one; 0.02 mm on a large one; more than 0.5 mm on a huge one.
    assert!(!is_refused("G2 X2.004 Y0 I1"));
    assert!(is_refused("G2 X2.02 Y0 I1"));
    assert!(!is_refused("G2 X200.02 Y0 I100"));
    assert!(is_refused("G2 X2000.6 Y0 I1000"));
}

#[test]
fn an_arc_from_nowhere_is_said_and_not_judged() {
    let read = read(&format!("{HEAD}G2 X10 Y0 I4 J0"));
    assert_eq!((read.errors(), read.arcs().len()), (Vec::new(), 0));
    assert!(read.kinds(Severity::Warning).contains(&"2 arc-start".to_owned()));
}

#[test]
fn absolute_centres_are_understood_though_refused() {
    let read = read(&format!("{HEAD}G90.1\nG0 X10 Y0\nG3 X-10 Y0 I0 J0"));
    assert_eq!(read.errors(), ["2 unsupported"]);
    assert_eq!(read.arcs()[0].centre, [0.0, 0.0]);
}
