//! A conversation with a server: who we are once, then one message after the other.

use lettre::transport::smtp::{
    authentication::Mechanism,
    commands::{Auth, Data, Ehlo, Mail, Quit, Rcpt, Rset, Starttls},
    extension::{ClientId, MailBodyParameter, MailParameter},
    response::Response,
};

use super::{
    extensions::Extensions,
    server::{MailServer, Security},
    wire::{Step, StepLimits, Trouble, Wire, code, shown},
};
use crate::mail::address::address;

/// How often LOGIN may ask back.
const CHALLENGES: usize = 4;

/// Why a mail to an address outside ASCII is not handed over.
const NO_SMTPUTF8: &str = "smtputf8_missing: the address is outside ASCII, and the server does not take such addresses (it offers no SMTPUTF8)";

/// What a server said of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailVerdict {
    /// It has it (250, and no other code).
    Accepted(String),
    /// Not now.
    Later(String),
    /// Never.
    Refused(String),
    /// Nobody can say whether it has it.
    Unknown(String),
    /// It takes nothing at all now; that is not the message's doing.
    Unable(Trouble),
}

/// An open conversation.
pub struct Session {
    wire: Wire,
    can: Extensions,
    /// Whether the next message may follow on this connection.
    sound: bool,
    /// Whether the last message was put off for its recipient, as far as the server's word tells.
    put_off: bool,
}

impl Session {
    /// Connects, goes under TLS as the server's URL says, and says who we are.
    ///
    /// # Errors
    /// What came between.
    pub async fn open(server: &MailServer, me: &str, limits: StepLimits) -> Result<Self, Trouble> {
        let mut wire = Wire::connect(&server.host, server.port, limits).await?;
        if server.security == Security::Implicit {
            wire = wire.under_tls(&server.tls, &server.name).await?;
        }
        expect(Step::Greeting, &wire.reply(Step::Greeting).await?, 220)?;
        let mut can = hello(&mut wire, me).await?;
        if server.security == Security::StartTls {
            if !can.starttls {
                return Err(Trouble::Lacking(
                    "the server offers no STARTTLS, and nothing is sent without it",
                ));
            }
            expect(Step::StartTls, &wire.ask(Step::StartTls, &Starttls.to_string()).await?, 220)?;
            wire = wire.under_tls(&server.tls, &server.name).await?;
            can = hello(&mut wire, me).await?; // what it said before TLS is not believed
        }
        if let Some(login) = server.login() {
            let known = [("PLAIN", Mechanism::Plain), ("LOGIN", Mechanism::Login)];
            let offered = known.into_iter().find(|(name, _)| can.auth.iter().any(|offered| offered == name));
            let (_, mechanism) =
                offered.ok_or(Trouble::Lacking("the server offers neither AUTH PLAIN nor LOGIN"))?;
            let odd =
                |_| Trouble::Garbled { step: Step::Auth, why: "the server asked what nobody understands" };
            let mut said = Auth::new(mechanism, login.clone(), None).map_err(odd)?.to_string();
            let mut reply = wire.ask(Step::Auth, &said).await?;
            for _ in 0..CHALLENGES {
                if code(&reply) != 334 {
                    break;
                }
                said = Auth::new_from_response(mechanism, login.clone(), &reply).map_err(odd)?.to_string();
                reply = wire.ask(Step::Auth, &said).await?;
            }
            expect(Step::Auth, &reply, 235)?;
        }
        Ok(Self { wire, can, sound: true, put_off: false })
    }

    /// What the server says it can do.
    #[must_use]
    pub fn extensions(&self) -> &Extensions {
        &self.can
    }

    /// The version of TLS that is spoken; `None`: there is none.
    #[must_use]
    pub fn tls_version(&self) -> Option<String> {
        self.wire.tls_version()
    }

    /// Whether the next message may follow.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.sound
    }

    /// Whether the last message was put off because there was too much of it, or not yet time for it, where it was to go: the
    /// server knew the recipient when it said so.
    #[must_use]
    pub fn is_put_off(&self) -> bool {
        self.put_off
    }

    /// Hands a message over to one recipient. Afterwards the conversation goes on only if it [is sound](Self::is_sound).
    pub async fn send(&mut self, from: &str, to: &str, message: &[u8]) -> MailVerdict {
        self.put_off = false;
        let (Ok(from), Ok(to)) = (address(from), address(to)) else {
            return MailVerdict::Refused("the address cannot be written to a mail server".to_owned());
        };
        if let Some(most) = self.can.size.filter(|most| u64::try_from(message.len()).is_ok_and(|n| n > *most))
        {
            return MailVerdict::Refused(format!("{} bytes, and the server takes {most}", message.len()));
        }
        let mut parameters = Vec::new();
        let international = !AsRef::<str>::as_ref(&to).is_ascii() || !head(message).is_ascii();
        if international && !self.can.takes_international() {
            return MailVerdict::Refused(NO_SMTPUTF8.to_owned());
        }
        if !message.is_ascii() {
            if !self.can.eight_bit {
                return MailVerdict::Refused(
                    "it has letters outside ASCII, and the server no 8BITMIME".to_owned(),
                );
            }
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        if international {
            parameters.push(MailParameter::SmtpUtfEight);
        }
        let steps = [
            (Step::Mail, Mail::new(Some(from), parameters).to_string()),
            (Step::Rcpt, Rcpt::new(to, vec![]).to_string()),
            (Step::Data, Data.to_string()),
        ];
        for (step, said) in steps {
            match self.wire.ask(step, &said).await {
                Ok(reply) if goes_on(step, code(&reply)) => {}
                Ok(reply) => return self.refused(step, &reply).await,
                Err(trouble) => return self.broken(&trouble),
            }
        }
        if let Err(trouble) = self.wire.say(Step::Content, &stuffed(message)).await {
            return self.broken(&trouble);
        }
        // From here on only the server can say whether it has the message.
        let verdict = match self.wire.say(Step::Dot, b".\r\n").await {
            Ok(()) => self.wire.reply(Step::Dot).await,
            Err(trouble) => Err(trouble),
        };
        match verdict {
            Ok(reply) if code(&reply) == 250 => MailVerdict::Accepted(shown(&reply)),
            Ok(reply) => match self.noted(Step::Dot, code(&reply)) {
                421 => {
                    self.sound = false;
                    MailVerdict::Later(shown(&reply))
                }
                400..=499 => MailVerdict::Later(shown(&reply)),
                500..=599 => MailVerdict::Refused(shown(&reply)),
                _ => {
                    self.sound = false;
                    MailVerdict::Unknown(format!("instead of 250: {}", shown(&reply)))
                }
            },
            Err(trouble) => {
                self.sound = false;
                MailVerdict::Unknown(trouble.to_string())
            }
        }
    }

    /// Takes leave; whatever comes of that.
    pub async fn quit(mut self) {
        if self.sound {
            let _ = self.wire.ask(Step::Quit, &Quit.to_string()).await;
        }
    }

    /// The code, after a look at whether it puts a message off for its recipient.
    fn noted(&mut self, step: Step, code: u16) -> u16 {
        self.put_off = step != Step::Mail && matches!(code, 421 | 450..=452);
        code
    }

    /// The message is not there: the connection broke before the dot.
    fn broken(&mut self, trouble: &Trouble) -> MailVerdict {
        self.sound = false;
        MailVerdict::Later(trouble.to_string())
    }

    /// The server does not want it, or nothing at all.
    async fn refused(&mut self, step: Step, reply: &Response) -> MailVerdict {
        let said = format!("{step}: {}", shown(reply));
        match self.noted(step, code(reply)) {
            421 | 530 | 534 | 535 | 538 if step == Step::Mail => {
                self.sound = false;
                MailVerdict::Unable(Trouble::Refused { step, reply: shown(reply) })
            }
            421 => {
                self.sound = false;
                MailVerdict::Later(said)
            }
            verdict @ 400..=599 => {
                let reset = self.wire.ask(Step::Rset, &Rset.to_string()).await;
                self.sound = reset.is_ok_and(|reply| code(&reply) == 250);
                if verdict < 500 { MailVerdict::Later(said) } else { MailVerdict::Refused(said) }
            }
            _ => {
                self.sound = false;
                MailVerdict::Later(format!("{said}, which is no answer to that"))
            }
        }
    }
}

/// Whether a step is done with this code.
fn goes_on(step: Step, code: u16) -> bool {
    match step {
        Step::Rcpt => matches!(code, 250..=252),
        Step::Data => code == 354,
        _ => code == 250,
    }
}

fn expect(step: Step, reply: &Response, wanted: u16) -> Result<(), Trouble> {
    if code(reply) == wanted { Ok(()) } else { Err(Trouble::Refused { step, reply: shown(reply) }) }
}

async fn hello(wire: &mut Wire, me: &str) -> Result<Extensions, Trouble> {
    let said = Ehlo::new(ClientId::Domain(me.to_owned())).to_string();
    let reply = wire.ask(Step::Ehlo, &said).await?;
    expect(Step::Ehlo, &reply, 250)?;
    Ok(Extensions::read(reply.message()))
}

/// The header of a message.
fn head(message: &[u8]) -> &[u8] {
    let end = message.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    message.get(..end.unwrap_or(message.len())).unwrap_or_default()
}

/// A message as it goes over the wire: a dot that begins a line is doubled, and the last line ends.
fn stuffed(message: &[u8]) -> Vec<u8> {
    let mut stuffed = Vec::with_capacity(message.len() + 8);
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            stuffed.push(b'.');
        }
        stuffed.extend_from_slice(line);
    }
    if !stuffed.ends_with(b"\r\n") {
        stuffed.extend_from_slice(b"\r\n");
    }
    stuffed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_that_begins_a_line_is_doubled_and_the_last_line_ends() {
        assert_eq!(stuffed(b".a\r\nb.\r\n..\r\nc"), b"..a\r\nb.\r\n...\r\nc\r\n");
        assert_eq!(stuffed(b"a\r\n"), b"a\r\n");
    }
}
