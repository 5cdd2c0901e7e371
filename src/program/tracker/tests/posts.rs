//! Programs as the post-processors of common CAM programs write them: small scenes of our own in their manner.

use super::*;
use crate::model::program::report::Frame;

/// Block comments, G28 with G91 for the retracts, one modal header.
const CONTOUR: &str = "%
(1001)
(T1 D=6. CR=0. - ZMIN=-1. - flat end mill)
G90 G94
G17
G21
G28 G91 Z0.
G90
(2D contour)
T1
S5000 M3
G54
G0 X30. Y10.
Z15.
G1 Z-1. F300.
X40. F900.
G3 X50. Y20. I0. J10.
G1 Y30.
G2 X40. Y40. I-10. J0.
X30. Y30. R10.
G0 Z15.
M5
G28 G91 Z0.
G90
G28 G91 X0. Y0.
G90
M30
%
";

/// No blanks, four decimals, spindle and coolant at the head, a tool change.
const ENGRAVING: &str = "( engraving )
G21G90G64
T2M6
M3S12000
G4P3
G0X0.0000Y0.0000Z5.0000
G1Z-0.2000F200
X10.0000Y0.5000F600
X12.5000
G0Z5.0000
M5
M2
";

/// Relative arcs, power with every move, nothing about a spindle.
const LASER: &str = "; layer 1
G00 G17 G40 G21 G54
G90
M4
G0 X10Y10
G1 X20 S300 F1200
G2 X30 Y20 I0 J10 S280
G1 X10Y10S0
M9
G1S0
M5
G90
G0 X0 Y0
M2
";

/// Drilling cycles.
const DRILLING: &str = "G17 G21 G40 G49 G80 G90 G94
S3000 M3
G0 Z10
G98 G83 X10 Y10 Z-12 R2 Q4 F120
X30
X50 Y30
G80
G0 Z30
M5
M30
";

fn by_firmware(program: &str) -> [Vec<String>; 3] {
    [Firmware::Grbl, Firmware::FluidNc, Firmware::GrblHal]
        .map(|firmware| on(firmware, program).kinds(Severity::Warning))
}

#[test]
fn a_contour_runs_everywhere() {
    assert_eq!(by_firmware(CONTOUR), [const { Vec::<String>::new() }; 3]);
    let read = read(CONTOUR);
    assert_eq!((read.arcs().len(), read.modal.tool), (3, Some(1)));
    assert!(read.arcs().iter().all(|arc| (arc.radius_mm - 10.0).abs() < 1e-9));
    let cut: Vec<Frame> =
        read.straights().iter().filter(|s| s.named & 0b11 != 0 && s.to[2] < 0.0).map(|s| s.frame).collect();
    assert_eq!(cut, [Frame::Work(1); 2]);
}

#[test]
fn an_engraving_needs_another_post_for_some() {
    assert_eq!(
        by_firmware(ENGRAVING),
        [vec!["2 unsupported", "3 tool-change"], vec!["2 unsupported", "3 tool-change"], vec!["2 depends"]]
            .map(|kinds| kinds.into_iter().map(str::to_owned).collect::<Vec<_>>())
    );
    assert_eq!(read(ENGRAVING).straights().len(), 5);
}

#[test]
fn a_laser_program_is_good_on_a_laser() {
    for firmware in [Firmware::Grbl, Firmware::FluidNc, Firmware::GrblHal] {
        let read = read_as(Dialect { laser: true, ..Dialect::new(firmware, 3) }, LASER);
        assert_eq!(read.kinds(Severity::Note), Vec::<String>::new());
        assert_eq!((read.straights().len(), read.arcs().len()), (4, 1));
    }
    let speed_missing = read(LASER).kinds(Severity::Warning);
    assert_eq!(speed_missing, ["4 depends", "4 speed-missing"], "a spindle needs a speed, and to turn backwards");
}

#[test]
fn a_drill_pattern_is_for_grblhal_and_its_picture_for_all() {
    assert_eq!(by_firmware(DRILLING)[2], Vec::<String>::new());
    for firmware in [Firmware::Grbl, Firmware::FluidNc] {
        let read = on(firmware, DRILLING);
        assert!(read.errors().iter().all(|error| error.ends_with("unsupported")), "{:?}", read.errors());
        assert_eq!(read.straights().len(), on(Firmware::GrblHal, DRILLING).straights().len());
    }
}
