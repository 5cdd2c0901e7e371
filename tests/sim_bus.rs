//! The simulated inverter on a pseudo terminal and on sockets, read by sunmill's own bus.

// Helpers of tests may fail as tests do.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sunmill::driver::bus::{BusEndpoint, BusLink, BusOpener, Patience};
use sunmill::driver::transport::SerialLine;
use sunmill::inverter::profile::shipped;
use sunmill::inverter::request::Exception;
use sunmill::inverter::{Action, Failure, Reply, Request};
use sunmill::model::power::Table;
use sunmill::sim::InverterOptions;
use sunmill::sim::inverter::Framing;
use sunmill::sim::serve::{self, Bus, BusControl, serve_bus_tcp, serve_pty};
use tokio::sync::mpsc;

const SOC_MIN: u16 = 8475;
/// Fails a test that hangs; nothing is measured by it.
const PATIENCE: Patience = Patience {
    timeout: Duration::from_secs(20),
    lateness: Duration::from_millis(1),
    spacing: Duration::from_millis(1),
};

fn senergy(framing: Framing) -> Bus {
    Bus::new(InverterOptions::new(Arc::new(shipped("senergy").unwrap().unwrap()), framing))
}

fn link(endpoint: BusEndpoint, folder: &Path) -> BusLink {
    BusLink::new(BusOpener { endpoint, lock_dir: folder.to_path_buf(), in_process: None })
}

/// Reads a setting, changes it, reads it again, and asks for what is refused.
async fn visit(link: &mut BusLink) {
    let read = Request::read(1, Table::Holding, SOC_MIN, 1);
    assert_eq!(link.exchange(&read, PATIENCE, None).await, Ok(Reply::Words(vec![20])));
    let write = |value| Request { unit: 1, action: Action::WriteSingle { address: SOC_MIN, value } };
    let echo = Reply::WroteSingle { address: SOC_MIN, value: 35 };
    assert_eq!(link.exchange(&write(35), PATIENCE, None).await, Ok(echo));
    assert_eq!(link.exchange(&write(101), PATIENCE, None).await, Err(Failure::Exception(Exception(3))));
    assert_eq!(link.exchange(&read, PATIENCE, None).await, Ok(Reply::Words(vec![35])));
}

#[tokio::test]
async fn a_pseudo_terminal_is_a_serial_line_with_an_inverter() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sun");
    let (quit, mut controls) = mpsc::channel(1);
    let (bus, served) = (senergy(Framing::Rtu), path.clone());
    let server = tokio::spawn(async move { serve_pty(bus, &served, &mut controls, |_| {}).await });
    while !path.exists() {
        assert!(!server.is_finished(), "{:?}", server.await);
        tokio::task::yield_now().await;
    }
    visit(&mut link(BusEndpoint::Rtu { path: path.clone(), line: SerialLine::plain(9600) }, folder.path())).await;
    quit.send(BusControl::Quit).await.unwrap();
    server.await.unwrap().unwrap();
    assert!(!path.exists(), "the link is taken away");
}

#[tokio::test]
async fn a_socket_has_either_framing_and_a_person_makes_trouble() {
    for framing in [Framing::Tcp, Framing::Rtu] {
        let folder = tempfile::tempdir().unwrap();
        let listener = serve::listen("127.0.0.1:0").await.unwrap();
        let (host, port) = ("127.0.0.1".to_owned(), listener.local_addr().unwrap().port());
        let endpoint = match framing {
            Framing::Tcp => BusEndpoint::Tcp { host, port },
            Framing::Rtu => BusEndpoint::RtuOverTcp { host, port },
        };
        let bus = senergy(framing);
        let (person, mut controls) = mpsc::channel(4);
        let (told, mut notices) = mpsc::channel(4);
        let server = tokio::spawn(async move {
            serve_bus_tcp(bus, listener, &mut controls, |words| told.try_send(words.to_owned()).unwrap()).await
        });
        let mut link = link(endpoint, folder.path());
        visit(&mut link).await;
        for words in ["fault busy", "show"] {
            person.send(words.parse().unwrap()).await.unwrap();
        }
        let shown = notices.recv().await.unwrap();
        assert!(shown.contains("battery 62 %") && shown.ends_with("faults busy"), "{shown}");
        let read = Request::read(1, Table::Holding, SOC_MIN, 1);
        assert_eq!(link.exchange(&read, PATIENCE, None).await, Err(Failure::Exception(Exception::BUSY)));
        for words in ["fix all", "counters"] {
            person.send(words.parse().unwrap()).await.unwrap();
        }
        assert_eq!(notices.recv().await.unwrap(), "requests 5, answers 5, of them exceptions 2");
        assert_eq!(link.exchange(&read, PATIENCE, None).await, Ok(Reply::Words(vec![35])));
        person.send(BusControl::Quit).await.unwrap();
        server.await.unwrap().unwrap();
    }
}
