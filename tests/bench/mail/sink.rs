//! A mail server that takes everything and keeps the Message-IDs: each connection is a loop on a thread of its own.

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

/// What arrived.
#[derive(Clone, Debug, Default)]
pub struct Arrived {
    /// The Message-ID of each message.
    pub ids: Vec<String>,
    /// Bytes of all messages.
    pub bytes: usize,
}

/// The server; its threads end with the process.
pub struct Sink {
    /// Where it listens, on loopback.
    pub port: u16,
    arrived: Arc<Mutex<Arrived>>,
}

impl Sink {
    /// Begins to listen.
    pub fn open() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let sink = Self { port: listener.local_addr()?.port(), arrived: Arc::default() };
        let arrived = Arc::clone(&sink.arrived);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let arrived = Arc::clone(&arrived);
                thread::spawn(move || converse(stream, &arrived)); // whoever hangs up is missed by the count
            }
        });
        Ok(sink)
    }

    /// What arrived so far.
    pub fn arrived(&self) -> Arrived {
        held(&self.arrived).clone()
    }
}

fn held(arrived: &Mutex<Arrived>) -> MutexGuard<'_, Arrived> {
    arrived.lock().unwrap_or_else(PoisonError::into_inner)
}

fn converse(mut stream: TcpStream, arrived: &Mutex<Arrived>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut lines = BufReader::new(stream.try_clone()?);
    stream.write_all(b"220 sink.example ESMTP\r\n")?;
    let mut line = String::new();
    loop {
        line.clear();
        if lines.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let reply = match line.get(..4).unwrap_or_default() {
            "EHLO" => "250-sink.example\r\n250 8BITMIME\r\n",
            "DATA" => {
                stream.write_all(b"354 go on\r\n")?;
                take(&mut lines, arrived)?;
                "250 2.0.0 kept\r\n"
            }
            "QUIT" => return stream.write_all(b"221 bye\r\n"),
            _ => "250 ok\r\n",
        };
        stream.write_all(reply.as_bytes())?;
    }
}

/// A message up to its dot.
fn take(lines: &mut BufReader<TcpStream>, arrived: &Mutex<Arrived>) -> io::Result<()> {
    let (mut id, mut bytes, mut line) = (String::new(), 0, Vec::new());
    loop {
        line.clear();
        bytes += lines.read_until(b'\n', &mut line)?;
        if line == b".\r\n" || line.is_empty() {
            break;
        }
        if let Some(found) = line.strip_prefix(b"Message-ID:") {
            id = String::from_utf8_lossy(found.trim_ascii()).into_owned();
        }
    }
    let mut arrived = held(arrived);
    arrived.ids.push(id);
    arrived.bytes += bytes;
    Ok(())
}
