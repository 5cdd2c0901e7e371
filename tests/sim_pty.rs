//! The simulated machine on a pseudo terminal: what any other program sees.

// Helpers of tests may fail as tests do.
#![allow(clippy::unwrap_used)]

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sunmill::model::Firmware;
use sunmill::sim::serve::{Control, ServeError, World, serve_pty};
use sunmill::sim::{Fault, Options};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Fails a test that hangs; nothing is measured by it.
const PATIENCE: Duration = Duration::from_secs(20);

struct Served {
    path: PathBuf,
    controls: mpsc::Sender<Control>,
    task: JoinHandle<Result<(), ServeError>>,
    _folder: tempfile::TempDir,
}

fn serve(options: Options) -> Served {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mill");
    let (controls, mut inbox) = mpsc::channel(4);
    let link = path.clone();
    let task = tokio::spawn(async move { serve_pty(World::new(options, None), &link, &mut inbox, |_| {}).await });
    Served { path, controls, task, _folder: folder }
}

/// Opens the link once it is there, says `text`, and reads until `wanted` was said.
fn talk(path: &Path, text: &str, wanted: &str) -> String {
    let mut port = open(path);
    port.write_all(text.as_bytes()).unwrap();
    let mut said = Vec::new();
    let mut buffer = [0; 256];
    while !String::from_utf8_lossy(&said).contains(wanted) {
        match port.read(&mut buffer) {
            Ok(0) => panic!("ended before {wanted:?}: {}", String::from_utf8_lossy(&said)),
            Ok(count) => said.extend(&buffer[..count]),
            Err(error) => panic!("{error} before {wanted:?}: {}", String::from_utf8_lossy(&said)),
        }
    }
    String::from_utf8(said).unwrap()
}

fn open(path: &Path) -> File {
    const NOCTTY: i32 = rustix::fs::OFlags::NOCTTY.bits().cast_signed();
    loop {
        match OpenOptions::new().read(true).write(true).custom_flags(NOCTTY).open(path) {
            Ok(file) => return file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => std::thread::yield_now(),
            Err(error) => panic!("{}: {error}", path.display()),
        }
    }
}

async fn patiently<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::time::timeout(PATIENCE, tokio::task::spawn_blocking(work)).await.unwrap().unwrap()
}

#[tokio::test]
async fn programs_may_open_and_close_the_port_as_they_like() {
    let served = serve(Options { homed: true, ..Options::new(Firmware::FluidNc) });
    for _ in 0..3 {
        let path = served.path.clone();
        let said = patiently(move || talk(&path, "$I\n", "ok\n")).await;
        assert!(said.contains("[MSG:Machine: SunMill SIM]"), "{said}");
    }
    served.controls.send(Control::Quit).await.unwrap();
    served.task.await.unwrap().unwrap();
    assert!(!served.path.is_symlink(), "the link is removed at the end");
}

#[tokio::test]
async fn a_dropped_link_reads_as_gone_and_comes_back_with_the_same_machine() {
    let served = serve(Options { homed: true, ..Options::new(Firmware::Grbl) });
    let path = served.path.clone();
    patiently(move || talk(&path, "G54 G92 X7\n", "ok")).await;
    let path = served.path.clone();
    let mut port = patiently(move || open(&path)).await;
    served.controls.send(Control::Fault(Fault::Drop)).await.unwrap();
    let gone = patiently(move || port.read(&mut [0; 64])).await;
    assert!(matches!(gone, Ok(0) | Err(_)), "{gone:?}");
    let path = served.path.clone();
    let said = patiently(move || talk(&path, "$#\n", "ok")).await;
    assert!(said.contains("[G92:-"), "{said}");
    drop(served);
}

/// What it does by itself while it moves, for ten minutes here, must not keep it from seeing that somebody is there again.
#[tokio::test]
async fn who_comes_back_while_it_moves_is_answered() {
    let served = serve(Options { homed: true, ..Options::new(Firmware::Grbl) });
    for (text, wanted) in [("G91 G1 X-100 F10\n", "ok"), ("?", "<Run|"), ("?", "<Run|")] {
        let path = served.path.clone();
        patiently(move || talk(&path, text, wanted)).await;
    }
    drop(served);
}

#[tokio::test]
async fn what_is_not_a_link_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("precious");
    std::fs::write(&path, "data").unwrap();
    let (_controls, mut inbox) = mpsc::channel(1);
    let world = World::new(Options::new(Firmware::Grbl), None);
    let error = serve_pty(world, &path, &mut inbox, |_| {}).await.unwrap_err();
    assert!(matches!(error, ServeError::InTheWay(_)), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "data");
}
