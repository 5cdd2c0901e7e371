//! Settings through hub, driver, session and simulated machine, on simulated time.

use std::sync::Arc;
use std::time::Duration;

use sunmill::driver::{Clock, InProcess, Opener, Pace};
use sunmill::grbl::session::SessionConfig;
use sunmill::grbl::tables::Tables;
use sunmill::hub::{self, HubTask};
use sunmill::model::hub::{LogEvent, News};
use sunmill::model::log::LogItem;
use sunmill::model::settings::Access;
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
        let (port, task) = hub::start(SessionConfig::default(), Tables::load(), opener, Clock::start());
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
