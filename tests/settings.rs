//! Settings through hub, driver, session and simulated machine, on simulated time.

mod common;

use std::path::PathBuf;
use std::time::Duration;

use common::shop::{Shop, refused};
use sunmill::hub::Keeping;
use sunmill::model::log::LogItem;
use sunmill::model::settings::{Access, Compared, RESTORE_WORD};
use sunmill::model::{Command, Firmware, Outcome, Snapshot};
use sunmill::sim::Options;

/// A machine that is up and idle.
async fn open(firmware: Firmware, faults: &'static [&'static str]) -> Shop {
    open_keeping(firmware, faults, None).await
}

/// The same, with a folder for backups.
async fn open_keeping(firmware: Firmware, faults: &'static [&'static str], backups: Option<PathBuf>) -> Shop {
    let machine = move || {
        let faults = faults.iter().map(|fault| fault.parse().expect("a fault")).collect();
        Options { homed: true, faults, ..Options::new(firmware) }
    };
    let mut shop = Shop::start(machine, Keeping { backups, ..Keeping::default() });
    shop.until_ready().await;
    shop
}

async fn set(shop: &mut Shop, key: &str, value: &str) -> Outcome {
    shop.ask(Command::SetSetting { key: key.into(), value: value.into() }).await
}

fn value(shop: &Shop, key: &str) -> String {
    shop.hub.snapshot().machine.settings.find(key).map(|row| row.value.clone()).unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn each_firmware_lists_what_it_has() {
    for (firmware, keys, group) in [
        (Firmware::Grbl, &["0", "23", "110", "132", "N0", "N1"][..], ("110", "X-axis")),
        (Firmware::GrblHal, &["0", "21", "341", "N0"], ("21", "Limits")),
        (Firmware::FluidNc, &["10", "110", "Hostname", "/axes/x/max_travel_mm"], ("/axes/x/max_travel_mm", "axes/x")),
    ] {
        let mut shop = open(firmware, &[]).await;
        assert_eq!(shop.ask(Command::ReadSettings).await, Outcome::Done);
        let snapshot = shop.until("a whole table", |s| s.machine.settings.complete).await;
        for key in keys {
            let row = snapshot.machine.settings.find(key).unwrap_or_else(|| panic!("{firmware} has no ${key}"));
            assert!(!row.name.is_empty() && row.name != "not described", "{firmware} {row:?}");
        }
        assert_eq!(snapshot.machine.settings.find(group.0).map(|row| row.group.as_str()), Some(group.1), "{firmware}");
        // A listing is not for the console.
        let is_listing =
            |text: &str| ["SETTING", "max_rate", "X-axis", "Hostname"].iter().any(|word| text.contains(word));
        let noise = shop.log.iter().any(|item| matches!(item, LogItem::Received { text, .. } if is_listing(text)));
        assert!(!noise, "{firmware}: {:?}", shop.log);
        shop.task.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_rate_is_set_read_back_and_jogging_knows_it() {
    for (firmware, key) in
        [(Firmware::Grbl, "110"), (Firmware::GrblHal, "110"), (Firmware::FluidNc, "/axes/x/max_rate_mm_per_min")]
    {
        let mut shop = open(firmware, &[]).await;
        assert_eq!(shop.ask(Command::ReadSettings).await, Outcome::Done);
        assert_eq!(set(&mut shop, key, "2500 mm/min").await, Outcome::Done, "{firmware}");
        assert!(value(&shop, key).starts_with("2500"), "{firmware}: {}", value(&shop, key));
        let rate = |s: &Snapshot| s.machine.limits.max_rate_mm_min.as_slice().first().copied();
        shop.until("the new limit", |s| rate(s) == Some(2500.0)).await;
        let what = shop.log.iter().any(|item| matches!(item, LogItem::Outcome { what, .. } if what.starts_with('$')));
        assert!(what, "the log says what was set: {:?}", shop.log);
        shop.task.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_is_refused_before_anything_is_sent() {
    let mut shop = open(Firmware::Grbl, &[]).await;
    for (key, value, piece) in [
        ("110", "2,5", "point"),
        ("110", "-5", "out of range"),
        ("110", "98 in/min", "mm/min"),
        ("23", "8", "1 X, 2 Y"),
        ("20", "maybe", "on or off"),
        ("499", "1", "no setting $499"),
    ] {
        let why = refused(&set(&mut shop, key, value).await);
        assert!(why.contains(piece), "${key}={value}: {why}");
    }
    assert!(!shop.log.iter().any(|item| matches!(item, LogItem::Sent { .. })));
    // What only the controller knows, it says itself: soft limits need homing.
    assert_eq!(set(&mut shop, "22", "off").await, Outcome::Done);
    let Outcome::Failed { code: 10, text } = set(&mut shop, "20", "on").await else { panic!("{:?}", shop.log) };
    assert!(text.to_lowercase().contains("homing"), "{text}");
    shop.task.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn views_of_the_configuration_say_where_to_change_them() {
    let mut shop = open(Firmware::FluidNc, &[]).await;
    assert!(refused(&set(&mut shop, "110", "2500").await).contains("$/axes/x/max_rate_mm_per_min"));
    assert_eq!(shop.ask(Command::ReadSettings).await, Outcome::Done);
    assert_eq!(set(&mut shop, "hostname", "mill").await, Outcome::Done);
    assert_eq!(value(&shop, "Hostname"), "mill");
    assert!(refused(&set(&mut shop, "Hostname", "mill!").await).contains("'!'"));
    let tree = shop.hub.snapshot().machine.settings.find("/axes/x/max_travel_mm").map(|row| row.access.clone());
    assert_eq!(tree, Some(Access::UntilRestart));
    shop.task.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_controller_that_does_not_keep_a_value_is_found_out() {
    let mut shop = open(Firmware::Grbl, &["lost-write"]).await;
    let Outcome::Failed { text, .. } = set(&mut shop, "110", "2500").await else { panic!("{:?}", shop.log) };
    assert!(text.contains("$110=2500") && text.contains("keeps 3000.000"), "{text}");
    shop.task.shutdown().await;
}

/// The only backup in the snapshot.
fn newest(shop: &Shop) -> String {
    shop.hub.snapshot().kept.names.first().cloned().expect("a backup")
}

fn restore(name: &str, word: &str) -> Command {
    Command::RestoreSettings { name: name.into(), word: word.into() }
}

#[tokio::test(start_paused = true)]
async fn what_was_changed_since_a_backup_is_shown_and_set_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut shop = open_keeping(Firmware::Grbl, &[], Some(folder.path().into())).await;
    assert!(refused(&shop.ask(Command::BackupSettings).await).contains("read first"));
    assert_eq!(shop.ask(Command::ReadSettings).await, Outcome::Done);
    assert_eq!(shop.ask(Command::BackupSettings).await, Outcome::Done);
    let name = newest(&shop);
    assert!(name.starts_with("grbl-"), "{name}");
    for (key, value) in [("110", "2500"), ("3", "2"), ("22", "0")] {
        assert_eq!(set(&mut shop, key, value).await, Outcome::Done);
    }
    assert_eq!(shop.ask(Command::CompareBackup { name: name.clone(), with: None }).await, Outcome::Done);
    let snapshot = shop.hub.snapshot();
    let Some(Compared::Machine { strange, plan, .. }) = &snapshot.kept.compared else { panic!("{:?}", snapshot.kept) };
    assert!(strange.is_empty() && plan.left.is_empty(), "{plan:?}");
    // Homing off took the soft limits with it; it has to be on before they can be.
    assert_eq!(plan.set.iter().map(|change| change.key.as_str()).collect::<Vec<_>>(), ["22", "3", "20", "110"]);
    assert_eq!(shop.ask(restore(&name, "")).await, Outcome::Done);
    assert_eq!(
        (value(&shop, "110").as_str(), value(&shop, "3").as_str(), value(&shop, "20").as_str()),
        ("3000.000", "0", "1")
    );
    let report = shop.hub.snapshot().kept.restore.clone().expect("a report");
    assert_eq!((report.set.len(), report.not_set.len(), report.running, report.why), (4, 0, false, None));
    shop.task.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_restore_stops_at_the_first_failure_and_says_what_is_set_and_what_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut shop = open_keeping(Firmware::Grbl, &[], Some(folder.path().into())).await;
    shop.ask(Command::ReadSettings).await;
    shop.ask(Command::BackupSettings).await;
    let name = newest(&shop);
    // A file of somebody who wants soft limits without homing.
    let path = folder.path().join(&name);
    let text = std::fs::read_to_string(&path).expect("the backup");
    let text = text.replace("\n22 = \"1\"", "\n22 = \"0\"").replace("\n3 = \"0\"", "\n3 = \"1\"");
    std::fs::write(&path, text.replace("110 = \"3000.000\"", "110 = \"1000.000\"")).expect("written");
    assert_eq!(set(&mut shop, "22", "0").await, Outcome::Done);
    let Outcome::Failed { text, .. } = shop.ask(restore(&name, "")).await else { panic!("{:?}", shop.log) };
    assert!(text.contains("NOT set ($20 $110)") && text.to_lowercase().contains("homing"), "{text}");
    let report = shop.hub.snapshot().kept.restore.clone().expect("a report");
    assert!(!report.running && report.set.iter().any(|change| change.key == "3"), "{report:?}");
    assert_eq!((value(&shop, "3").as_str(), value(&shop, "110").as_str()), ("1", "3000.000"));
    shop.task.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_memory_that_fails_ends_a_restore() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut shop = open_keeping(Firmware::FluidNc, &["lost-write@20s"], Some(folder.path().into())).await;
    shop.ask(Command::ReadSettings).await;
    shop.ask(Command::BackupSettings).await;
    let name = newest(&shop);
    assert_eq!(set(&mut shop, "Hostname", "other").await, Outcome::Done);
    assert_eq!(set(&mut shop, "10", "3").await, Outcome::Done);
    tokio::time::advance(Duration::from_secs(20)).await;
    shop.until("a fresh report", |s| {
        s.machine.reported_at.is_some_and(|at| at.since(sunmill::model::Time::ZERO) > Duration::from_secs(20))
    })
    .await;
    let Outcome::Failed { text, .. } = shop.ask(restore(&name, "")).await else { panic!("{:?}", shop.log) };
    assert!(text.contains("0 set") && text.contains("$Hostname") && text.contains("keeps 3"), "{text}");
    shop.task.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_backup_of_another_machine_needs_the_word_and_two_backups_can_be_compared() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut shop = open_keeping(Firmware::Grbl, &[], Some(folder.path().into())).await;
    shop.ask(Command::ReadSettings).await;
    shop.ask(Command::BackupSettings).await;
    let own = newest(&shop);
    let text = std::fs::read_to_string(folder.path().join(&own)).expect("the backup");
    let other = text.replace("axes = 3", "axes = 4").replace("110 = \"3000.000\"", "110 = \"1000.000\"");
    std::fs::write(folder.path().join("other.toml"), other).expect("written");
    let why = refused(&shop.ask(restore("other.toml", "yes")).await);
    assert!(why.contains("4 axes") && why.contains(RESTORE_WORD), "{why}");
    assert_eq!(value(&shop, "110"), "3000.000");
    let both = Command::CompareBackup { name: own, with: Some("other.toml".into()) };
    assert_eq!(shop.ask(both).await, Outcome::Done);
    let snapshot = shop.hub.snapshot();
    let Some(Compared::Files { changes, .. }) = &snapshot.kept.compared else { panic!("{:?}", snapshot.kept) };
    assert_eq!(changes.iter().map(ToString::to_string).collect::<Vec<_>>(), ["$110: 3000.000 -> 1000.000"]);
    assert_eq!(shop.ask(restore("other.toml", RESTORE_WORD)).await, Outcome::Done);
    assert_eq!(value(&shop, "110"), "1000.000");
    let Outcome::Failed { text, .. } = shop.ask(restore("none.toml", "")).await else { panic!("{:?}", shop.log) };
    assert!(text.contains("none.toml"), "{text}");
    shop.task.shutdown().await;
}
