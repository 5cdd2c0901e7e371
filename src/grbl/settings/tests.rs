//! The table of each firmware from small scenes of our own.

use super::*;
use crate::grbl::reply::{Reply, parse};
use crate::model::Firmware;
use crate::model::settings::{Access, Kind, Setting, SettingsTable, check};

/// Plays a listing as a controller prints it.
fn table(firmware: Firmware, lines: &str) -> SettingsTable {
    let mut book = Book::default();
    for line in lines.lines() {
        match parse(line.as_bytes(), Some(firmware)) {
            Reply::Setting { name, value } => book.value(&name, &value),
            Reply::Info { key, value } => book.info(&key, &value, 3),
            _ if line.contains('\t') => book.description(line),
            _ => book.tree_line(line),
        }
    }
    book.table(&Catalog::load(), firmware, 3)
}

fn find<'a>(table: &'a SettingsTable, key: &str) -> &'a Setting {
    table.find(key).unwrap_or_else(|| panic!("no {key} in {table:#?}"))
}

#[test]
fn the_catalogue_is_read_and_covers_grbl() {
    let catalog = Catalog::load();
    let numbers = [0, 1, 2, 3, 4, 5, 6, 10, 11, 12, 13, 20, 21, 22, 23, 24, 25, 26, 27, 30, 31, 32];
    let axes = [100, 110, 120, 130].into_iter().flat_map(|first| first..first + 3);
    for n in numbers.into_iter().chain(axes) {
        let known = catalog.numbered(Firmware::Grbl, n, 3).unwrap_or_else(|| panic!("${n} is not described"));
        assert!(!known.name.is_empty() && known.meaning.len() > 10 && known.kind.is_some(), "${n} {known:?}");
        assert!(!known.name.contains('{') && !known.group.contains('{'), "{known:?}");
    }
    assert_eq!(catalog.numbered(Firmware::Grbl, 103, 3), None);
    assert!(catalog.numbers().values().all(|count| *count <= 2));
    assert!(catalog.numbered(Firmware::Grbl, 40, 3).is_none(), "grblHAL's own");
}

#[test]
fn grbl_tells_values_and_the_catalogue_the_rest() {
    let table = table(Firmware::Grbl, "$0=10\n$3=2\n$10=3\n$110=3000.000\n$132=60.000\n$N0=G54\n$77=4");
    let rate = find(&table, "110");
    assert_eq!((rate.name.as_str(), rate.unit.as_str(), rate.value.as_str()), ("X maximum rate", "mm/min", "3000.000"));
    assert!(rate.caution.contains("steps") && rate.access == Access::Stored);
    assert_eq!(find(&table, "3").words("2").as_deref(), Some("Y"));
    assert_eq!(find(&table, "10").words("2").as_deref(), Some("Buffer state"));
    assert_eq!(find(&table, "132").name, "Z travel");
    assert_eq!((find(&table, "N0").kind.clone(), find(&table, "77").name.as_str()), (Kind::Text, "not described"));
    let keys: Vec<_> = table.rows.iter().map(|row| row.key.as_str()).collect();
    assert_eq!(keys, ["0", "3", "10", "77", "110", "132", "N0"]);
}

#[test]
fn grblhal_tells_its_own_names_ranges_and_bits() {
    let table = table(
        Firmware::GrblHal,
        "$21=1\n$22=3\n$32=0\n$58=-5.0\n$120=200.000\n$398=100\n$700=1\n\
         [SETTINGGROUP:3|0|Limits]\n[SETTINGGROUP:43|42|X-axis]\n\
         [SETTING:21|3|Hard limits enable||2|Enable,Strict mode|||0|0]\n\
         [SETTING:22|11|Homing cycle||2|Enable,Single axis commands,N/A,Set origin to 0|||0|0]\n\
         [SETTING:32|1|Mode of operation||3|Normal,Laser mode,Lathe mode|||0|0]\n\
         [SETTING:58|13|Parking target|mm|6|-###0.0|-100000||0|0]\n\
         [SETTING:120|43|X-axis acceleration|mm/sec^2|6|#####0.000|||0|0]\n\
         [SETTING:398|1|Planner buffer blocks||5|####0|30|1000|1|0]\n\
         [SETTING:700|1|Plugin option|ms|5|###0||20|0|0]\n\
         [SETTING:broken\n[SETTING:x|y]\n\
         21\tHard limits enable\tmask\txbitfield\tEnable,Strict mode\tStops at a switch.\\n\\nImmediately.\t\t\t0\t0",
    );
    let hard = find(&table, "21");
    assert_eq!((hard.name.as_str(), hard.group.as_str()), ("Hard limits enable", "Limits"));
    assert_eq!(
        (hard.words("3").as_deref(), hard.meaning.as_str()),
        (Some("Enable, Strict mode"), "Stops at a switch. Immediately.")
    );
    assert!(check(find(&table, "22"), "9").is_ok() && check(find(&table, "22"), "7").is_err());
    assert_eq!(find(&table, "32").words("2").as_deref(), Some("Lathe mode"));
    assert!(check(find(&table, "58"), "-20").is_ok());
    let acceleration = find(&table, "120");
    assert_eq!(acceleration.group, "X-axis");
    assert!(check(acceleration, "0").is_err() && check(acceleration, "150 mm/sec^2").is_ok());
    assert!(find(&table, "398").needs_restart && check(find(&table, "398"), "29").is_err());
    assert_eq!(find(&table, "700").allowed(), "a whole number from 0 to 20");
}

#[test]
fn fluidnc_has_views_named_settings_and_a_tree() {
    let table = table(
        Firmware::FluidNc,
        "$13=0\n$22=1\n$110=3000.000\n$10=1\n$Grbl/MaxRate/X=3000.000\n$Telnet/Enable=ON\n$Hostname=fluidnc\n\
         $Start/Message=Grbl \\V [FluidNC \\B (\\X) \\H]\n$Sta/Password=********\n\
         board: POSIX\nstepping: \n  engine: Timed\n  idle_ms: 255\n\naxes:\n  shared_stepper_disable_pin: NO_PIN\n  X: \n    \
         max_rate_mm_per_min: 3000.000000\n    soft_limits: true\n    homing: \n      cycle: 2\n      seek_mm_per_min: 1500.000000\n\
         \n    motor0: \n      limit_neg_pin: gpio.9\n      pulloff_mm: 2.000000\n  A: \n    max_rate_mm_per_min: 3600.000000\n\
         coolant: \n  delay_ms: 0",
    );
    assert!(table.find("Grbl/MaxRate/X").is_none());
    let view = check(find(&table, "110"), "2000").unwrap_err().to_string();
    assert!(view.contains("$/axes/x/max_rate_mm_per_min"), "{view}");
    assert_eq!((&find(&table, "10").access, &find(&table, "13").access), (&Access::Stored, &Access::UntilRestart));
    assert_eq!(check(find(&table, "telnet/enable"), "off").as_deref(), Ok("OFF"));
    assert!(find(&table, "Hostname").needs_restart && find(&table, "Sta/Password").is_hidden());
    let rate = find(&table, "/axes/x/max_rate_mm_per_min");
    assert_eq!((rate.value.as_str(), rate.unit.as_str(), rate.group.as_str()), ("3000.000000", "mm/min", "axes/x"));
    assert_eq!((rate.access.clone(), check(rate, "0").is_err()), (Access::UntilRestart, true));
    assert_eq!(find(&table, "/axes/a/max_rate_mm_per_min").unit, "deg/min");
    assert_eq!(check(find(&table, "/axes/x/soft_limits"), "off").as_deref(), Ok("false"));
    assert_eq!(find(&table, "/axes/x/homing/seek_mm_per_min").name, "Homing seek rate");
    assert_eq!(find(&table, "/stepping/idle_ms").value, "255");
    assert_eq!(find(&table, "/coolant/delay_ms").group, "coolant");
    for fixed in ["/axes/x/motor0/limit_neg_pin", "/board", "/stepping/engine"] {
        assert!(matches!(find(&table, fixed).access, Access::ReadOnly(_)), "{fixed}");
    }
}

#[test]
fn what_comes_again_replaces_and_what_comes_without_end_is_bounded() {
    let mut book = Book::default();
    book.value("110", "1");
    book.value("110", "2");
    book.value("/axes/X/a", "1");
    book.value("/axes/x/a", "2");
    for i in 0..5000 {
        book.value(&format!("x/{i}"), "1");
    }
    book.value("Long", &"y".repeat(5000));
    let table = book.table(&Catalog::load(), Firmware::Grbl, 3);
    assert_eq!((find(&table, "110").value.as_str(), find(&table, "/axes/x/a").value.as_str()), ("2", "2"));
    assert_eq!(table.rows.len(), crate::model::settings::MAX_ROWS);
}
