//! A mail server to test against: it takes mail on loopback, with STARTTLS and AUTH if it is told to, and misbehaves at the
//! steps that it is told of.

use std::{
    collections::BTreeMap,
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use rustls::{ServerConfig, ServerConnection, StreamOwned, crypto::ring, pki_types::PrivateKeyDer};

/// What the server does at a step instead of what it should.
#[derive(Clone, Debug)]
pub enum Act {
    /// Says this; it ends in no line end.
    Say(&'static str),
    /// Says nothing more.
    Stall,
    /// Hangs up.
    Drop,
    /// Keeps the message, and hangs up without saying so.
    KeepAndDrop,
    /// Says a reply of a million lines.
    Huge,
    /// Says a line without an end.
    Endless,
}

/// How a server is set up.
#[derive(Clone, Default)]
pub struct Setup {
    /// Its certificate is in this, and it offers STARTTLS.
    pub tls: Option<Arc<ServerConfig>>,
    /// Who may send: `user:password`, in base64 as PLAIN has it.
    pub plain: Option<&'static str>,
    /// The mechanisms that it offers.
    pub auth: &'static str,
    /// What else it can do, as lines of a reply to EHLO.
    pub more: &'static [&'static str],
}

struct Rule {
    at: &'static str,
    act: Act,
    left: usize,
}

#[derive(Default)]
struct State {
    setup: Setup,
    rules: Mutex<Vec<Rule>>,
    kept: Mutex<Vec<(String, String)>>,
    senders: Mutex<Vec<String>>,
    asked: Mutex<Vec<String>>,
    connections: Mutex<u32>,
}

/// A mail server of a test; its threads end with the test's process.
pub struct Sink {
    /// Where it listens, on loopback.
    pub port: u16,
    state: Arc<State>,
}

impl Sink {
    /// One that behaves.
    pub fn open(setup: Setup) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), setup)
    }

    /// One on a port of before.
    pub fn again(port: u16) -> Self {
        Self::on(TcpListener::bind(("127.0.0.1", port)).unwrap(), Setup::default())
    }

    fn on(listener: TcpListener, setup: Setup) -> Self {
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State { setup, ..State::default() });
        let serving = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let state = Arc::clone(&serving);
                *state.connections.lock().unwrap() += 1;
                thread::spawn(move || {
                    let _ = stream.set_nodelay(true);
                    let _ = Conversation { stream: Stream::Open(stream), pending: Vec::new(), state }.hold();
                });
            }
        });
        Self { port, state }
    }

    /// Misbehaves at a step, so many times. Steps: GREETING, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA, DOT.
    pub fn at(&self, at: &'static str, act: Act, times: usize) -> &Self {
        self.state.rules.lock().unwrap().push(Rule { at, act, left: times });
        self
    }

    /// Misbehaves whenever a mail goes to this domain, which is written with its `@`.
    pub fn to(&self, domain: &'static str, act: Act) -> &Self {
        self.at(domain, act, usize::MAX)
    }

    /// Behaves again.
    pub fn behave(&self) {
        self.state.rules.lock().unwrap().clear();
    }

    /// Recipient and message of all that it keeps.
    pub fn kept(&self) -> Vec<(String, String)> {
        self.state.kept.lock().unwrap().clone()
    }

    /// Whom each mail was said to be from, kept or not.
    pub fn senders(&self) -> Vec<String> {
        self.state.senders.lock().unwrap().clone()
    }

    /// What each mail was to be taken as: the parameters of MAIL, kept or not.
    pub fn asked(&self) -> Vec<String> {
        self.state.asked.lock().unwrap().clone()
    }

    /// How often each Message-ID arrived.
    pub fn arrived(&self) -> BTreeMap<String, usize> {
        let mut arrived = BTreeMap::new();
        for (_, message) in self.kept() {
            let id = message.lines().find_map(|line| line.strip_prefix("Message-ID: ")).unwrap().to_owned();
            *arrived.entry(id).or_default() += 1;
        }
        arrived
    }

    /// How often it was connected to.
    pub fn connections(&self) -> u32 {
        *self.state.connections.lock().unwrap()
    }
}

/// A certificate for `localhost` alone, in PEM, and a server that has it.
pub fn certificate() -> (String, Arc<ServerConfig>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    (made.cert.pem(), Arc::new(config))
}

enum Stream {
    Open(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
    None,
}

struct Conversation {
    stream: Stream,
    pending: Vec<u8>,
    state: Arc<State>,
}

impl Conversation {
    fn hold(mut self) -> io::Result<()> {
        self.answer("GREETING", "220 sink.example ESMTP")?;
        let (mut to, mut let_in) = (String::new(), self.state.setup.plain.is_none());
        loop {
            let line = self.line()?;
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            let arg = line.split_once(' ').map_or("", |(_, arg)| arg).to_owned();
            match verb.as_str() {
                "EHLO" => {
                    let setup = self.state.setup.clone();
                    let tls = setup.tls.is_some() && matches!(self.stream, Stream::Open(_));
                    let auth = format!("AUTH {}", setup.auth);
                    let mut lines = vec!["sink.example"];
                    lines.extend(tls.then_some("STARTTLS"));
                    lines.extend(setup.plain.is_some().then_some(auth.as_str()));
                    lines.extend(setup.more);
                    let last = lines.pop().unwrap();
                    let first = lines.iter().fold(String::new(), |all, line| all + "250-" + line + "\r\n");
                    self.answer("EHLO", &format!("{first}250 {last}"))?;
                }
                "STARTTLS" => {
                    self.answer("STARTTLS", "220 go on")?;
                    let Stream::Open(stream) = std::mem::replace(&mut self.stream, Stream::None) else {
                        return Ok(());
                    };
                    let session = ServerConnection::new(self.state.setup.tls.clone().unwrap());
                    self.stream = Stream::Tls(Box::new(StreamOwned::new(session.unwrap(), stream)));
                }
                "AUTH" => {
                    let plain = self.state.setup.plain.unwrap_or_default();
                    let said = if let Some(("PLAIN", said)) = arg.split_once(' ') {
                        said.to_owned()
                    } else {
                        self.say("334 VXNlcm5hbWU6")?;
                        let user = self.line()?;
                        self.say("334 UGFzc3dvcmQ6")?;
                        format!("{user} {}", self.line()?)
                    };
                    let_in = said == plain;
                    self.answer("AUTH", if let_in { "235 welcome" } else { "535 5.7.8 not you" })?;
                }
                "MAIL" if !let_in => self.say("530 5.7.0 who are you")?,
                "MAIL" => {
                    let from = arg.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                    self.state.senders.lock().unwrap().push(from);
                    let parameters = arg.split_once('>').map_or("", |(_, parameters)| parameters.trim());
                    self.state.asked.lock().unwrap().push(parameters.to_owned());
                    self.answer("MAIL", "250 ok")?;
                }
                "RCPT" => {
                    arg.trim_start_matches("TO:").trim_matches(['<', '>']).clone_into(&mut to);
                    self.takes_to(&to)?;
                }
                "DATA" => {
                    if self.answer("DATA", "354 go on")? {
                        let message = self.message()?;
                        let act = self.take("DOT");
                        if matches!(act, Some(Act::KeepAndDrop)) {
                            self.keep(&to, message);
                            return Ok(());
                        }
                        if act.is_none() {
                            self.keep(&to, message); // before it says so, as a server does
                        }
                        self.does(act.as_ref(), "250 2.0.0 kept")?;
                    }
                }
                "QUIT" => return self.say("221 bye"),
                _ => self.say("250 ok")?,
            }
        }
    }

    /// As it is told of the recipient's domain, else of the step.
    fn takes_to(&mut self, to: &str) -> io::Result<bool> {
        match to.find('@').and_then(|at| self.take(&to[at..])) {
            Some(act) => self.does(Some(&act), "250 ok"),
            None => self.answer("RCPT", "250 ok"),
        }
    }

    fn keep(&self, to: &str, message: String) {
        self.state.kept.lock().unwrap().push((to.to_owned(), message));
    }

    /// What it is told to do at a step.
    fn take(&self, at: &str) -> Option<Act> {
        let mut rules = self.state.rules.lock().unwrap();
        rules.iter_mut().find(|rule| rule.at == at && rule.left > 0).map(|rule| {
            rule.left -= 1;
            rule.act.clone()
        })
    }

    /// Says what belongs to the step, or does what it is told to; says whether the step is done.
    fn answer(&mut self, at: &str, usual: &str) -> io::Result<bool> {
        let act = self.take(at);
        self.does(act.as_ref(), usual)
    }

    fn does(&mut self, act: Option<&Act>, usual: &str) -> io::Result<bool> {
        match act {
            None => self.say(usual).map(|()| true),
            Some(Act::Say(said)) => self.say(said).map(|()| false),
            Some(Act::Stall) => {
                thread::sleep(Duration::from_secs(20));
                Err(io::ErrorKind::TimedOut.into())
            }
            Some(Act::Drop | Act::KeepAndDrop) => Err(io::ErrorKind::ConnectionReset.into()),
            Some(Act::Huge) => {
                for _ in 0..1_000_000 {
                    self.say("250-and so on")?;
                }
                self.say("250 end").map(|()| false)
            }
            Some(Act::Endless) => loop {
                self.write(&[b'2'; 1024])?;
            },
        }
    }

    fn say(&mut self, line: &str) -> io::Result<()> {
        self.write(format!("{line}\r\n").as_bytes())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.stream {
            Stream::Open(stream) => stream.write_all(bytes),
            Stream::Tls(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
            Stream::None => Ok(()),
        }
    }

    fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(at) = self.pending.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.pending.drain(..=at).collect();
                return Ok(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned());
            }
            let mut bytes = [0; 8192];
            let read = match &mut self.stream {
                Stream::Open(stream) => stream.read(&mut bytes)?,
                Stream::Tls(stream) => stream.read(&mut bytes)?,
                Stream::None => 0,
            };
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.pending.extend_from_slice(&bytes[..read]);
        }
    }

    /// The message up to its dot, dots undoubled.
    fn message(&mut self) -> io::Result<String> {
        let mut message = String::new();
        loop {
            let line = self.line()?;
            if line == "." {
                return Ok(message);
            }
            message.push_str(line.strip_prefix('.').unwrap_or(&line));
            message.push_str("\r\n");
        }
    }
}
