//! Settings: one at a time, read back, and listed in full.

use super::*;
use crate::model::settings::{Access, SettingsTable};

fn order(key: &str, value: &str) -> SettingOrder {
    SettingOrder { key: key.into(), value: value.into() }
}

impl Wire {
    fn set(&mut self, key: &str, value: &str) -> TicketId {
        let ticket = self.ticket();
        self.session.set(self.now, order(key, value), ticket).expect("taken");
        self.drain();
        ticket
    }

    /// Sends only `?` until a line comes; answers the `?`.
    fn next_line(&mut self) -> String {
        for _ in 0..50 {
            let sent = self.pass(20);
            for _ in sent.matches('?') {
                self.rx(IDLE);
            }
            let line: String = sent.chars().filter(|c| *c != '?').collect();
            if !line.is_empty() {
                return line;
            }
        }
        String::new()
    }

    fn outcome_of(&self, ticket: TicketId) -> Option<&Outcome> {
        let mut ended = self.events.iter().filter_map(|event| match event {
            Event::Outcome { ticket: of, outcome } if *of == ticket => Some(outcome),
            _ => None,
        });
        let first = ended.next();
        assert!(ended.next().is_none(), "answered twice");
        first
    }

    fn table(&self) -> &SettingsTable {
        let mut tables = self.events.iter().rev().filter_map(|event| match event {
            Event::Settings(table) => Some(table.as_ref()),
            _ => None,
        });
        tables.next().expect("a table was told")
    }
}

#[test]
fn a_setting_is_done_when_it_is_read_back_and_limits_follow() {
    for firmware in [Firmware::Grbl, Firmware::GrblHal] {
        let mut wire = Wire::up(firmware);
        let ticket = wire.set("110", "2500");
        assert_eq!(wire.next_line(), "$110=2500\n");
        assert_eq!(wire.pass(50).replace('?', ""), "", "nothing goes behind it");
        wire.rx("ok");
        assert_eq!(wire.outcome_of(ticket), None, "ok is not enough");
        assert_eq!(wire.next_line(), "$$\n");
        wire.rx("$110=2500.000\n$111=3000.000\nok");
        assert_eq!(wire.outcome_of(ticket), Some(&Outcome::Done));
        assert_eq!(wire.table().find("110").map(|row| row.value.as_str()), Some("2500.000"));
        let limits = wire.events.iter().rev().find_map(|event| match event {
            Event::Limits(limits) => Some(limits.max_rate_mm_min.as_slice()[0]),
            _ => None,
        });
        assert_eq!(limits, Some(2500.0));
    }
}

#[test]
fn a_value_that_the_controller_does_not_keep_is_said() {
    let mut wire = Wire::up(Firmware::Grbl);
    let ticket = wire.set("0", "2");
    assert_eq!(wire.next_line(), "$0=2\n");
    wire.rx("ok");
    assert_eq!(wire.next_line(), "$$\n");
    wire.rx("$0=10\nok");
    let Some(Outcome::Failed { text, .. }) = wire.outcome_of(ticket) else { panic!("{:?}", wire.events) };
    assert!(text.contains("$0=2") && text.contains("keeps 10"), "{text}");
    let next = wire.set("1", "25");
    assert_eq!(wire.next_line(), "$1=25\n", "the next may follow");
    wire.rx("error:8");
    let Some(Outcome::Failed { code: 8, .. }) = wire.outcome_of(next) else { panic!("{:?}", wire.events) };
    assert!(!wire.next_line().contains("$$"), "what was refused is not read back");
}

#[test]
fn fluidnc_reads_one_setting_back_and_then_its_numbered_views() {
    let mut wire = Wire::up(Firmware::FluidNc);
    let ticket = wire.set("/axes/x/max_rate_mm_per_min", "2500");
    assert_eq!(wire.next_line(), "$/axes/x/max_rate_mm_per_min=2500\n");
    wire.rx("ok");
    assert_eq!(wire.next_line(), "$/axes/x/max_rate_mm_per_min\n");
    wire.rx("$/axes/X/max_rate_mm_per_min=2500.000\nok");
    assert_eq!(wire.outcome_of(ticket), Some(&Outcome::Done));
    let mut lines = String::new();
    for _ in 0..4 {
        lines += &wire.next_line();
        wire.rx("ok");
    }
    assert!(lines.contains("$$\n"), "{lines}");
}

#[test]
fn a_reset_or_silence_before_the_read_back_leaves_no_ticket_open() {
    let mut wire = Wire::up(Firmware::Grbl);
    let ticket = wire.set("110", "2500");
    wire.next_line();
    wire.rx("ok");
    wire.rx("Grbl 1.1h ['$' for help]");
    assert_eq!(wire.outcome_of(ticket), Some(&Outcome::Voided { why: VoidReason::ControllerReset, sent: true }));

    let mut wire = Wire::up(Firmware::Grbl);
    let ticket = wire.set("110", "2500");
    wire.next_line();
    wire.rx("ok");
    assert_eq!(wire.next_line(), "$$\n");
    for _ in 0..200 {
        let sent = wire.pass(20);
        sent.matches('?').for_each(|_| wire.rx(IDLE));
    }
    let Some(Outcome::Failed { text, .. }) = wire.outcome_of(ticket) else { panic!("{:?}", wire.outcome_of(ticket)) };
    assert!(text.contains("did not tell"), "{text}");
}

#[test]
fn settings_wait_for_a_machine_at_rest() {
    for report in [RUN, JOG, HOLD1, HOLD0] {
        let mut wire = Wire::up(Firmware::GrblHal);
        wire.rx(report);
        let ticket = wire.ticket();
        assert!(wire.session.set(wire.now, order("110", "1"), ticket).is_err(), "{report}");
        assert!(wire.session.list_settings(wire.now, ticket).is_err(), "{report}");
        assert!(!wire.pass(50).contains('$'), "{report}");
    }
}

#[test]
fn grblhal_is_asked_for_its_own_tables_and_a_slow_listing_is_not_overdue() {
    let mut wire = Wire::up(Firmware::GrblHal);
    let ticket = wire.ticket();
    wire.session.list_settings(wire.now, ticket).expect("taken");
    assert!(wire.session.list_settings(wire.now, TicketId(99)).is_err(), "once is enough");
    let mut asked = Vec::new();
    for _ in 0..5 {
        let line = wire.next_line();
        match line.trim() {
            "$$" => wire.rx("$21=1\n$110=3000.000"),
            "$N" => wire.rx("$N0=G21"),
            "$EG" => wire.rx("[SETTINGGROUP:3|0|Limits]"),
            "$ES" => {
                for _ in 0..5 {
                    wire.rx("[SETTING:21|3|Hard limits enable||2|Enable,Strict mode|||0|0]");
                    for _ in 0..50 {
                        let sent = wire.pass(40);
                        sent.matches('?').for_each(|_| wire.rx(IDLE));
                    }
                }
            }
            "$ESH" => wire.rx("21\tHard limits enable\tmask\txbitfield\tEnable\tStops at a switch.\t\t\t0\t0"),
            other => panic!("{other}"),
        }
        wire.rx("ok");
        asked.push(line.trim().to_owned());
    }
    assert_eq!(asked, ["$$", "$N", "$EG", "$ES", "$ESH"]);
    assert_eq!(wire.outcome_of(ticket), Some(&Outcome::Done));
    let row = wire.table().find("21").cloned().expect("listed");
    assert_eq!((row.group.as_str(), row.meaning.as_str()), ("Limits", "Stops at a switch."));
    assert!(wire.table().complete && wire.table().find("N0").is_some());
    let told = wire.events.iter().any(|event| matches!(event, Event::Message { text, .. } if text.contains("SETTING")));
    assert!(!told, "a listing is no message");
}

#[test]
fn the_configuration_of_fluidnc_becomes_rows_and_a_typed_dump_stays_text() {
    let mut wire = Wire::up(Firmware::FluidNc);
    let ticket = wire.ticket();
    wire.session.list_settings(wire.now, ticket).expect("taken");
    for (line, answer) in [
        ("$$\n", "$110=3000.000\n$10=1\nok"),
        ("$S\n", "$Grbl/MaxRate/X=3000.000\n$Hostname=mill\nok"),
        ("$CD\n", "axes: \n  X: \n    max_rate_mm_per_min: 3000.000000\n[MSG:INFO: hello]\n    soft_limits: true\nok"),
    ] {
        assert_eq!(wire.next_line(), line);
        wire.rx(answer);
    }
    assert_eq!(wire.outcome_of(ticket), Some(&Outcome::Done));
    let keys: Vec<_> = wire.table().rows.iter().map(|row| row.key.as_str()).collect();
    assert!(keys.is_sorted_by_key(|key| key.parse().unwrap_or(u32::MAX)), "{keys:?}");
    assert!(keys.contains(&"/axes/x/max_rate_mm_per_min") && keys.contains(&"/axes/x/soft_limits"), "{keys:?}");
    assert_eq!(wire.table().find("/axes/x/soft_limits").map(|row| row.access.clone()), Some(Access::UntilRestart));

    let typed = wire.ticket();
    let line = Line::new("$CD", Some(Firmware::FluidNc)).expect("a line");
    wire.session.submit(wire.now, line, typed).expect("taken");
    assert_eq!(wire.next_line(), "$CD\n");
    wire.rx("board: X\nok");
    assert!(wire.events.iter().any(|event| matches!(event, Event::Message { text, .. } if text == "board: X")));
}
