//! The connection: bytes out, replies in, each within its time and its bound.

use std::{io, sync::Arc, time::Duration};

use lettre::transport::smtp::response::Response;
use rustls::{ClientConfig, pki_types::ServerName};
use thiserror::Error;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::mail::text::clean;

/// Bytes of a line of a reply; RFC 5321 allows 512.
const LINE: usize = 2048;
/// Bytes of a whole reply.
const REPLY: usize = 64 * 1024;
/// Characters of a reply that are kept.
const KEPT: usize = 500;

/// Where a conversation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display)]
#[strum(serialize_all = "UPPERCASE")]
pub enum Step {
    /// The connection is made.
    Connect,
    /// The server says that it is there.
    Greeting,
    /// It says what it can do.
    Ehlo,
    /// It is asked for TLS.
    StartTls,
    /// TLS is agreed on.
    Tls,
    /// We say who we are.
    Auth,
    /// The sender.
    Mail,
    /// The recipient.
    Rcpt,
    /// The message is announced.
    Data,
    /// The message.
    Content,
    /// The dot after it, and the verdict.
    Dot,
    /// The next message, after one that was not taken.
    Rset,
    /// The end.
    Quit,
}

/// How long each step may take.
#[derive(Clone, Copy, Debug)]
pub struct StepLimits {
    /// Every step but the last.
    pub step: Duration,
    /// The verdict after the final dot.
    pub after_dot: Duration,
}

impl StepLimits {
    const fn of(self, step: Step) -> Duration {
        match step {
            Step::Dot => self.after_dot,
            _ => self.step,
        }
    }
}

/// What came between us and the server.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Trouble {
    /// The connection is gone, or was never there.
    #[error("{step}: {why}")]
    Lost {
        /// Where.
        step: Step,
        /// What the machine says.
        why: String,
    },
    /// Nothing came in time.
    #[error("{step}: no answer within {} s", within.as_secs_f32())]
    Silent {
        /// Where.
        step: Step,
        /// The limit.
        within: Duration,
    },
    /// What came is no reply, or none to what was asked.
    #[error("{step}: {why}")]
    Garbled {
        /// Where.
        step: Step,
        /// What about it.
        why: &'static str,
    },
    /// The server said no.
    #[error("{step}: {reply}")]
    Refused {
        /// Where.
        step: Step,
        /// What it said.
        reply: String,
    },
    /// The server has not what we need.
    #[error("{0}")]
    Lacking(&'static str),
}

/// The code of a reply.
pub(super) fn code(reply: &Response) -> u16 {
    reply.code().into()
}

/// A reply as one line.
pub(super) fn shown(reply: &Response) -> String {
    let lines = reply.message().collect::<Vec<_>>().join(" ");
    clean(&format!("{} {lines}", code(reply))).chars().take(KEPT).collect()
}

enum ByteStream {
    Open(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A connection to a server.
pub(super) struct Wire {
    stream: ByteStream,
    /// What came and is not read yet.
    pending: Vec<u8>,
    limits: StepLimits,
}

impl Wire {
    pub(super) async fn connect(host: &str, port: u16, limits: StepLimits) -> Result<Self, Trouble> {
        let connecting = async {
            let stream = TcpStream::connect((host, port)).await?;
            stream.set_nodelay(true)?; // else the final dot waits for the acknowledgement of what is before it
            Ok(stream)
        };
        let stream = within(Step::Connect, limits, connecting).await?;
        Ok(Self { stream: ByteStream::Open(stream), pending: Vec::new(), limits })
    }

    /// The same under TLS. Whatever came before that is not believed.
    pub(super) async fn under_tls(
        self,
        config: &Arc<ClientConfig>,
        name: &ServerName<'static>,
    ) -> Result<Self, Trouble> {
        if !self.pending.is_empty() {
            return Err(Trouble::Garbled { step: Step::Tls, why: "something was said before TLS began" });
        }
        let ByteStream::Open(stream) = self.stream else {
            return Err(Trouble::Garbled { step: Step::Tls, why: "there is TLS already" });
        };
        let connector = TlsConnector::from(Arc::clone(config));
        let stream = within(Step::Tls, self.limits, connector.connect(name.clone(), stream)).await?;
        Ok(Self { stream: ByteStream::Tls(Box::new(stream)), pending: Vec::new(), limits: self.limits })
    }

    /// The version of TLS, if there is TLS.
    pub(super) fn tls_version(&self) -> Option<String> {
        match &self.stream {
            ByteStream::Open(_) => None,
            ByteStream::Tls(stream) => {
                stream.get_ref().1.protocol_version().map(|version| format!("{version:?}").replace('_', "."))
            }
        }
    }

    /// Says something, and waits for what is said to that.
    pub(super) async fn ask(&mut self, step: Step, said: &str) -> Result<Response, Trouble> {
        self.say(step, said.as_bytes()).await?;
        self.reply(step).await
    }

    /// Sends bytes. What came unasked is an answer to nothing that is to be said now.
    pub(super) async fn say(&mut self, step: Step, bytes: &[u8]) -> Result<(), Trouble> {
        if !self.pending.is_empty() {
            return Err(Trouble::Garbled { step, why: "the server spoke out of turn" });
        }
        let stream = &mut self.stream;
        let writing = async {
            match stream {
                ByteStream::Open(stream) => stream.write_all(bytes).await,
                ByteStream::Tls(stream) => {
                    stream.write_all(bytes).await?;
                    stream.flush().await
                }
            }
        };
        within(step, self.limits, writing).await
    }

    /// The next reply, whole.
    pub(super) async fn reply(&mut self, step: Step) -> Result<Response, Trouble> {
        let limit = self.limits.of(step);
        timeout(limit, self.read(step)).await.unwrap_or(Err(Trouble::Silent { step, within: limit }))
    }

    async fn read(&mut self, step: Step) -> Result<Response, Trouble> {
        let garbled = |why| Trouble::Garbled { step, why };
        let mut whole = String::new();
        loop {
            let line = self.line(step).await?;
            if line.len() < 4 || !line.as_bytes()[..3].iter().all(u8::is_ascii_digit) {
                return Err(garbled("what came is no reply of a mail server"));
            }
            let is_last = line.as_bytes()[3] != b'-';
            whole.push_str(&line);
            if whole.len() > REPLY {
                return Err(garbled("a reply has no end"));
            }
            if is_last {
                return whole.parse().map_err(|_| garbled("what came is no reply of a mail server"));
            }
        }
    }

    /// The next line, ending in CRLF, in ASCII.
    async fn line(&mut self, step: Step) -> Result<String, Trouble> {
        loop {
            if let Some(at) = self.pending.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.pending.drain(..=at).collect();
                let line = String::from_utf8_lossy(&line);
                let mut line: String =
                    line.trim_end().chars().map(|c| if c.is_ascii() { c } else { '?' }).collect();
                if line.len() == 3 {
                    line.push(' ');
                }
                return Ok(line + "\r\n");
            }
            if self.pending.len() > LINE {
                return Err(Trouble::Garbled { step, why: "a line of a reply has no end" });
            }
            let mut bytes = [0; 4096];
            let read = match &mut self.stream {
                ByteStream::Open(stream) => stream.read(&mut bytes).await,
                ByteStream::Tls(stream) => stream.read(&mut bytes).await,
            };
            match read {
                Ok(0) => return Err(Trouble::Lost { step, why: "the server hung up".to_owned() }),
                Ok(read) => self.pending.extend_from_slice(&bytes[..read]),
                Err(error) => return Err(Trouble::Lost { step, why: error.to_string() }),
            }
        }
    }
}

/// Does something within the step's limit.
async fn within<T>(
    step: Step,
    limits: StepLimits,
    doing: impl Future<Output = io::Result<T>>,
) -> Result<T, Trouble> {
    let limit = limits.of(step);
    match timeout(limit, doing).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(Trouble::Lost { step, why: error.to_string() }),
        Err(_) => Err(Trouble::Silent { step, within: limit }),
    }
}
