//! Settings through hub, driver, session and simulated machine, on simulated time.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sunmill::driver::{Clock, InProcess, Opener, Pace};
use sunmill::grbl::session::SessionConfig;
use sunmill::grbl::tables::Tables;
use sunmill::hub::{self, HubTask};
use sunmill::model::hub::{LogEvent, News};
use sunmill::model::log::LogItem;
use sunmill::model::settings::{Access, Compared, RESTORE_WORD};
use sunmill::model::snapshot::LinkState;
use sunmill::model::{Command, Endpoint, Firmware, Hub, Outcome, Snapshot, StateKind};
use sunmill::sim::{Options, serve};
use tokio::time::timeout;

/// Simulated time after which a test has waited in vain.
const LONG: Duration = Duration::from_secs(60);

struct Shop {
    hub: Hub,
    task: HubTask,
    log: Vec<LogItem>,
}

impl Shop {
    /// A machine that is up and idle.
    async fn open(firmware: Firmware, faults: &'static [&'static str]) -> Self {
        Self::open_keeping(firmware, faults, None).await
    }

    /// The same, with a folder for backups.
    async fn open_keeping(firmware: Firmware, faults: &'static [&'static str], folder: Option<PathBuf>) -> Self {
        let machine = move || {
            let faults = faults.iter().map(|fault| fault.parse().expect("a fault")).collect();
            serve::in_process(Options { homed: true, faults, ..Options::new(firmware) })
        };
        let opener = Opener {
            endpoint: Endpoint::Sim,
            baud: 115_200,
            pace: Pace::Auto,
            lock_dir: std::env::temp_dir(),
            in_process: Some(InProcess(Arc::new(machine))),
        };
        let (port, task) = hub::start_keeping(
            SessionConfig::default(),
            Tables::load(),
            opener,
            Clock::start(),
            hub::Keeping { backups: folder, ..hub::Keeping::default() },
        );
        let mut shop = Self { hub: port.attach_screen(), task, log: Vec::new() };
        shop.until("an idle machine that has told its settings", |s| {
            let idle = s.machine.state.is_some_and(|state| state.kind == StateKind::Idle);
            s.machine.link.state == LinkState::Up && idle && !s.machine.settings.rows.is_empty()
        })
        .await;
        shop
    }

    async fn news(&mut self) {
        if let News::Log(LogEvent::Entry(entry)) = self.hub.next().await.expect("the hub lives") {
            self.log.push(entry.what.clone());
        }
    }

    async fn until(&mut self, what: &str, wanted: impl Fn(&Snapshot) -> bool) -> Arc<Snapshot> {
        let search = async {
            while !wanted(&self.hub.snapshot()) {
                self.news().await;
            }
        };
        let found = timeout(LONG, search).await.is_ok();
        assert!(found, "no {what}: {:#?}", self.hub.snapshot().machine);
        self.hub.snapshot()
    }

    /// Asks and waits for the outcome.
    async fn ask(&mut self, command: Command) -> Outcome {
        let asked = self.hub.submit(command).expect("room for a command");
        let answer = async {
            loop {
                let found = self.log.iter().find_map(|item| match item {
                    LogItem::Outcome { ticket, outcome, .. } if *ticket == asked => Some(outcome.clone()),
                    _ => None,
                });
                if let Some(outcome) = found {
                    return outcome;
                }
                self.news().await;
            }
        };
        timeout(LONG, answer).await.expect("an outcome")
    }

    async fn set(&mut self, key: &str, value: &str) -> Outcome {
        self.ask(Command::SetSetting { key: key.into(), value: value.into() }).await
    }

    fn value(&self, key: &str) -> String {
        self.hub.snapshot().machine.settings.find(key).map(|row| row.value.clone()).unwrap_or_default()
    }
}

fn refused(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Refused(why) => why.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn each_firmware_lists_what_it_has() {
    for (firmware, keys, group) in [
        (Firmware::Grbl, &["0", "23", "110", "132", "N0", "N1"][..], ("110", "X-axis")),
        (Firmware::GrblHal, &["0", "21", "341", "N0"], ("21", "Limits")),
        (Firmware::FluidNc, &["10", "110", "Hostname", "/axes/x/max_travel_mm"], ("/axes/x/max_travel_mm", "axes/x")),
    ] {
        let mut shop = Shop::open(firmware, &[]).await;
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
        let mut shop = Shop::open(firmware, &[]).await;
        assert_eq!(shop.ask(Command::ReadSettings).await, Outcome::Done);
        assert_eq!(shop.set(key, "2500 mm/min").await, Outcome::Done, "{firmware}");
        assert!(shop.value(key).starts_with("2500"), "{firmware}: {}", shop.value(key));
        let rate = |s: &Snapshot| s.machine.limits.max_rate_mm_min.as_slice().first().copied();
        shop.until("the new limit", |s| rate(s) == Some(2500.0)).await;
        let what = shop.log.iter().any(|item| matches!(item, LogItem::Outcome { what, .. } if what.starts_with('$')));
        assert!(what, "the log says what was set: {:?}", shop.log);
        shop.task.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_is_refused_before_anything_is_sent() {
    let mut shop = Shop::open(Firmware::Grbl, &[]).await;
    for (key, value, piece) in [
        ("110", "2,5", "point"),
        ("110", "-5", "out of range"),
        ("110", "98 in/min", "mm/min"),
        ("23", "8", "1 X, 2 Y"),
        ("20", "maybe", "on or off"),
        ("499", "1", "no setting $499"),
    ] {
        let why = refused(&shop.set(key, value).await);
        assert!(why.contains(piece), "${key}={value}: {why}");
    }
    assert!(!shop.log.iter().any(|item| matches!(item, LogItem::Sent { .. })));
    // What only the controller knows, it says itself: soft limits need homing.
    assert_eq!(shop.set("22", "off").await, Outcome::Done);
    let Outcome::Failed { code: 10, text } = shop.set("20", "on").await else { panic!("{:?}", shop.log) };
    assert!(text.to_lowercase().contains("homing"), "{text}");
    shop.task.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn views_of_the_configuration_say_where_to_change_them() {
    let mut shop = Shop::open(Firmware::FluidNc, &[]).await;
    assert!(refused(&shop.set("110", "2500").await).contains("$/axes/x/max_rate_mm_per_min"));
    assert_eq!(shop.ask(Command::ReadSettings).await, Outcome::Done);
    assert_eq!(shop.set("hostname", "mill").await, Outcome::Done);
    assert_eq!(shop.value("Hostname"), "mill");
    assert!(refused(&shop.set("Hostname", "mill!").await).contains("'!'"));
    let tree = shop.hub.snapshot().machine.settings.find("/axes/x/max_travel_mm").map(|row| row.access.clone());
    assert_eq!(tree, Some(Access::UntilRestart));
    shop.task.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_controller_that_does_not_keep_a_value_is_found_out() {
    let mut shop = Shop::open(Firmware::Grbl, &["lost-write"]).await;
    let Outcome::Failed { text, .. } = shop.set("110", "2500").await else { panic!("{:?}", shop.log) };
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
    let mut shop = Shop::open_keeping(Firmware::Grbl, &[], Some(folder.path().into())).await;
    assert!(refused(&shop.ask(Command::BackupSettings).await).contains("read first"));
    assert_eq!(shop.ask(Command::ReadSettings).await, Outcome::Done);
    assert_eq!(shop.ask(Command::BackupSettings).await, Outcome::Done);
    let name = newest(&shop);
    assert!(name.starts_with("grbl-"), "{name}");
    for (key, value) in [("110", "2500"), ("3", "2"), ("22", "0")] {
        assert_eq!(shop.set(key, value).await, Outcome::Done);
    }
    assert_eq!(shop.ask(Command::CompareBackup { name: name.clone(), with: None }).await, Outcome::Done);
    let snapshot = shop.hub.snapshot();
    let Some(Compared::Machine { strange, plan, .. }) = &snapshot.kept.compared else { panic!("{:?}", snapshot.kept) };
    assert!(strange.is_empty() && plan.left.is_empty(), "{plan:?}");
    // Homing off took the soft limits with it; it has to be on before they can be.
    assert_eq!(plan.set.iter().map(|change| change.key.as_str()).collect::<Vec<_>>(), ["22", "3", "20", "110"]);
    assert_eq!(shop.ask(restore(&name, "")).await, Outcome::Done);
    assert_eq!(
        (shop.value("110").as_str(), shop.value("3").as_str(), shop.value("20").as_str()),
        ("3000.000", "0", "1")
    );
    let report = shop.hub.snapshot().kept.restore.clone().expect("a report");
    assert_eq!((report.set.len(), report.not_set.len(), report.running, report.why), (4, 0, false, None));
    shop.task.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_restore_stops_at_the_first_failure_and_says_what_is_set_and_what_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut shop = Shop::open_keeping(Firmware::Grbl, &[], Some(folder.path().into())).await;
    shop.ask(Command::ReadSettings).await;
    shop.ask(Command::BackupSettings).await;
    let name = newest(&shop);
    // A file of somebody who wants soft limits without homing.
    let path = folder.path().join(&name);
    let text = std::fs::read_to_string(&path).expect("the backup");
    let text = text.replace("\n22 = \"1\"", "\n22 = \"0\"").replace("\n3 = \"0\"", "\n3 = \"1\"");
    std::fs::write(&path, text.replace("110 = \"3000.000\"", "110 = \"1000.000\"")).expect("written");
    assert_eq!(shop.set("22", "0").await, Outcome::Done);
    let Outcome::Failed { text, .. } = shop.ask(restore(&name, "")).await else { panic!("{:?}", shop.log) };
    assert!(text.contains("NOT set ($20 $110)") && text.to_lowercase().contains("homing"), "{text}");
    let report = shop.hub.snapshot().kept.restore.clone().expect("a report");
    assert!(!report.running && report.set.iter().any(|change| change.key == "3"), "{report:?}");
    assert_eq!((shop.value("3").as_str(), shop.value("110").as_str()), ("1", "3000.000"));
    shop.task.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_memory_that_fails_ends_a_restore() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut shop = Shop::open_keeping(Firmware::FluidNc, &["lost-write@20s"], Some(folder.path().into())).await;
    shop.ask(Command::ReadSettings).await;
    shop.ask(Command::BackupSettings).await;
    let name = newest(&shop);
    assert_eq!(shop.set("Hostname", "other").await, Outcome::Done);
    assert_eq!(shop.set("10", "3").await, Outcome::Done);
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
    let mut shop = Shop::open_keeping(Firmware::Grbl, &[], Some(folder.path().into())).await;
    shop.ask(Command::ReadSettings).await;
    shop.ask(Command::BackupSettings).await;
    let own = newest(&shop);
    let text = std::fs::read_to_string(folder.path().join(&own)).expect("the backup");
    let other = text.replace("axes = 3", "axes = 4").replace("110 = \"3000.000\"", "110 = \"1000.000\"");
    std::fs::write(folder.path().join("other.toml"), other).expect("written");
    let why = refused(&shop.ask(restore("other.toml", "yes")).await);
    assert!(why.contains("4 axes") && why.contains(RESTORE_WORD), "{why}");
    assert_eq!(shop.value("110"), "3000.000");
    let both = Command::CompareBackup { name: own, with: Some("other.toml".into()) };
    assert_eq!(shop.ask(both).await, Outcome::Done);
    let snapshot = shop.hub.snapshot();
    let Some(Compared::Files { changes, .. }) = &snapshot.kept.compared else { panic!("{:?}", snapshot.kept) };
    assert_eq!(changes.iter().map(ToString::to_string).collect::<Vec<_>>(), ["$110: 3000.000 -> 1000.000"]);
    assert_eq!(shop.ask(restore("other.toml", RESTORE_WORD)).await, Outcome::Done);
    assert_eq!(shop.value("110"), "1000.000");
    let Outcome::Failed { text, .. } = shop.ask(restore("none.toml", "")).await else { panic!("{:?}", shop.log) };
    assert!(text.contains("none.toml"), "{text}");
    shop.task.shutdown().await;
}
