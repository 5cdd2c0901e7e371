//! A simulated machine on a TCP port, as FluidNC's telnet server: one machine, any number of connections.

use std::collections::BTreeMap;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::clients::Clients;
use super::control::Control;
use super::world::{Next, ServeError, World};

/// Chunks of output a connection may be behind before it is dropped.
const MOST_BEHIND: usize = 256;

/// Opens the port, so that the address is known before anything is served.
///
/// # Errors
/// The address cannot be listened on.
pub async fn listen(addr: &str) -> Result<TcpListener, ServeError> {
    TcpListener::bind(addr).await.map_err(|source| ServeError::Tcp { addr: addr.to_owned(), source })
}

/// Serves the machine to everyone who connects, until [`Control::Quit`]. A `drop` fault closes all connections.
///
/// # Errors
/// The state file cannot be written.
pub async fn serve_tcp(
    mut world: World,
    listener: TcpListener,
    controls: &mut mpsc::Receiver<Control>,
    mut notice: impl FnMut(&str),
) -> Result<(), ServeError> {
    let (from_clients, mut inbox) = mpsc::channel::<(u64, Vec<u8>)>(MOST_BEHIND);
    let mut clients = Clients::new(world.machine().firmware() == crate::model::Firmware::Grbl);
    let mut links: BTreeMap<u64, Link> = BTreeMap::new();
    let mut next_id = 0;
    loop {
        for (owner, line) in clients.output(&world.output()) {
            // Whoever cannot keep up is dropped, so that the others are not held up.
            links.retain(|id, link| owner.is_some_and(|o| o != *id) || link.send.try_send(line.clone()).is_ok());
        }
        if world.take_drop() {
            links.clear();
        }
        world.save()?;
        let room = world.input_room() > 0;
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    next_id += 1;
                    clients.joined(next_id);
                    links.insert(next_id, Link::start(next_id, stream, from_clients.clone()));
                }
            }
            Some((id, bytes)) = inbox.recv(), if room => {
                if bytes.is_empty() {
                    links.remove(&id);
                    clients.left(id);
                } else if links.contains_key(&id) {
                    world.input(&clients.input(id, &bytes));
                }
            }
            next = world.next(controls) => {
                if let Next::Quit = world.obey(next, &mut notice) {
                    return Ok(());
                }
            }
        }
    }
}

/// The near end of one connection; dropping it closes the connection.
struct Link {
    send: mpsc::Sender<Vec<u8>>,
    _close: tokio_util::sync::DropGuard,
}

impl Link {
    fn start(id: u64, stream: TcpStream, inbox: mpsc::Sender<(u64, Vec<u8>)>) -> Self {
        let (send, outbox) = mpsc::channel(MOST_BEHIND);
        let closed = CancellationToken::new();
        tokio::spawn(connection(id, stream, inbox, outbox, closed.clone()));
        Self { send, _close: closed.drop_guard() }
    }
}

async fn connection(
    id: u64,
    stream: TcpStream,
    inbox: mpsc::Sender<(u64, Vec<u8>)>,
    mut outbox: mpsc::Receiver<Vec<u8>>,
    closed: CancellationToken,
) {
    // Small status lines must not wait for each other.
    let _ = stream.set_nodelay(true);
    let (mut reader, mut writer) = stream.into_split();
    let writing = async {
        while let Some(chunk) = outbox.recv().await {
            if writer.write_all(&chunk).await.is_err() {
                break;
            }
        }
    };
    let reading = async {
        let mut buffer = [0_u8; 256];
        while let Ok(count @ 1..) = reader.read(&mut buffer).await {
            if inbox.send((id, buffer[..count].to_vec())).await.is_err() {
                return;
            }
        }
        // An empty message says that this connection has ended.
        let _ = inbox.send((id, Vec::new())).await;
    };
    tokio::select! {
        () = writing => {}
        () = reading => {}
        () = closed.cancelled() => {}
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt, BufReader};

    use super::*;
    use crate::model::Firmware;
    use crate::sim::machine::Options;

    async fn line(link: &mut BufReader<TcpStream>) -> String {
        let mut text = String::new();
        link.read_line(&mut text).await.unwrap();
        text
    }

    #[tokio::test]
    async fn two_clients_share_a_machine_and_each_gets_its_own_ok() {
        let options = Options { homed: true, network: true, ..Options::new(Firmware::FluidNc) };
        let listener = listen("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (quit, mut controls) = mpsc::channel(1);
        let server =
            tokio::spawn(async move { serve_tcp(World::new(options, None), listener, &mut controls, |_| {}).await });
        let mut one = BufReader::new(TcpStream::connect(addr).await.unwrap());
        let mut two = BufReader::new(TcpStream::connect(addr).await.unwrap());
        // Both are known to the server once each has had an answer.
        for link in [&mut one, &mut two] {
            link.write_all(b"G4P0\r\n").await.unwrap();
            while line(link).await != "ok\r\n" {}
        }
        one.write_all(b"$G\n").await.unwrap();
        assert!(line(&mut one).await.starts_with("[GC:"));
        assert_eq!(line(&mut one).await, "ok\r\n");
        two.write_all(b"?").await.unwrap();
        assert!(line(&mut two).await.starts_with("[GC:"), "messages go to all");
        assert!(line(&mut two).await.starts_with("<Idle|"), "but not the other's ok");
        quit.send(Control::Quit).await.unwrap();
        server.await.unwrap().unwrap();
    }
}
