//! The loop on a real pseudo-terminal. Real time, so nothing here asserts how long anything takes.

use std::time::Instant;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};
use tokio::sync::{broadcast, mpsc, watch};

use super::*;
use crate::model::hub::HubPort;
use crate::model::latch::Latch;
use crate::ui::testing;

/// A person's side of a terminal, and the hub's side of the screen.
struct Desk {
    master: Option<AsyncFd<Arc<File>>>,
    slave: Arc<File>,
    screen: vt100::Parser,
    latch: Arc<Latch>,
    snapshots: watch::Sender<Arc<Snapshot>>,
    port: Option<HubPort>,
    _requests: mpsc::Receiver<crate::model::hub::Request>,
}

fn desk(snapshot: Snapshot) -> (Desk, Hub) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    rustix::io::ioctl_fionbio(&master, true).unwrap();
    let size = rustix::termios::Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
    rustix::termios::tcsetwinsize(&master, size).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::NONBLOCK;
    let slave = rustix::fs::open(name, flags, rustix::fs::Mode::empty()).unwrap();
    let latch = Arc::new(Latch::default());
    let (snapshots, watched) = watch::channel(Arc::new(snapshot));
    let (requests, queue) = mpsc::channel(8);
    let (log, _) = broadcast::channel(8);
    let port = HubPort::new(watched, requests, log, Arc::clone(&latch));
    let hub = port.attach_screen();
    let desk = Desk {
        master: Some(tty::register(Arc::new(File::from(master))).unwrap()),
        slave: Arc::new(File::from(slave)),
        screen: crate::ui::testing::terminal(80, 24),
        latch,
        snapshots,
        port: Some(port),
        _requests: queue,
    };
    (desk, hub)
}

impl Desk {
    fn start(&self, hub: Hub) -> tokio::task::JoinHandle<Result<ExitReason, Error>> {
        let slave = Arc::clone(&self.slave);
        let guard = Guard::claim(Arc::clone(&slave)).unwrap();
        let start = Instant::now();
        let now = move || testing::NOW + start.elapsed();
        tokio::spawn(run_on(slave, guard, hub, Settings::default(), now))
    }

    fn type_keys(&self, bytes: &[u8]) {
        tty::write_blocking(self.master.as_ref().unwrap().get_ref(), bytes);
    }

    /// Reads until the screen shows it; a test that would hang tells what it sees instead.
    async fn wait_for(&mut self, what: &str) {
        let found = tokio::time::timeout(Duration::from_secs(20), self.read_until(what)).await;
        assert!(found.is_ok(), "no {what:?} on the screen:\n{}", self.screen.screen().contents());
    }

    async fn read_until(&mut self, what: &str) {
        let master = self.master.as_ref().unwrap();
        loop {
            if self.screen.screen().contents().contains(what) {
                return;
            }
            let mut ready = master.readable().await.unwrap();
            if let Ok(Ok(bytes)) = ready.try_io(|fd| read_some(fd.get_ref())) {
                self.screen.process(&bytes);
            }
        }
    }

    fn is_raw(&self) -> bool {
        !tcgetattr(&*self.slave).unwrap().local_modes.contains(LocalModes::ICANON)
    }
}

#[tokio::test]
async fn it_draws_hears_and_gives_the_terminal_back() {
    let (mut desk, hub) = desk(testing::idle());
    assert!(!desk.is_raw());
    let ui = desk.start(hub);
    desk.wait_for("simulated machine").await;
    assert!(desk.is_raw() && desk.screen.screen().alternate_screen() && desk.screen.screen().hide_cursor());
    desk.type_keys(b" ");
    desk.latch.notified().await;
    assert!(desk.latch.take().contains(Realtime::Stop));
    // A split PgUp: its tail is no resume.
    desk.type_keys(b"\x1b[5");
    desk.type_keys(b"~v");
    desk.wait_for("Wire").await;
    assert!(desk.latch.take().is_empty());
    desk.snapshots.send_replace(Arc::new(testing::hard_limit()));
    desk.wait_for("ALARM 1").await;
    // A key that leaves is not taken on the heels of others: it is pressed until it is.
    let mut ui = ui;
    let ended = loop {
        desk.type_keys(b"q");
        if let Ok(ended) = tokio::time::timeout(Duration::from_millis(500), &mut ui).await {
            break ended;
        }
    };
    assert_eq!(ended.unwrap().unwrap(), ExitReason::Asked);
    assert!(!desk.is_raw());
    let master = Arc::clone(desk.master.as_ref().unwrap().get_ref());
    while let Ok(bytes) = read_some(&master) {
        desk.screen.process(&bytes);
    }
    assert!(!desk.screen.screen().alternate_screen() && !desk.screen.screen().hide_cursor());
}

#[tokio::test]
async fn a_terminal_that_hangs_up_ends_it() {
    let (mut desk, hub) = desk(testing::jogging());
    let ui = desk.start(hub);
    desk.wait_for("simulated machine").await;
    desk.latch.take();
    desk.master = None;
    assert_eq!(ui.await.unwrap().unwrap(), ExitReason::TerminalLost);
    assert!(desk.latch.take().contains(Realtime::JogCancel), "a jog ends with its screen");
}

#[tokio::test]
async fn it_ends_with_the_hub() {
    let (mut desk, hub) = desk(testing::idle());
    let ui = desk.start(hub);
    desk.wait_for("simulated machine").await;
    desk.port = None;
    assert_eq!(ui.await.unwrap().unwrap(), ExitReason::HubGone);
}
