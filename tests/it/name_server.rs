//! A DNS server to test against: it answers on loopback what it is told of names, and that there is nothing at any other.

use std::{
    net::{SocketAddr, UdpSocket},
    thread,
};

use hickory_proto::{
    op::{Message, MessageType, OpCode, ResponseCode},
    rr::{
        Name, RData, Record, RecordType,
        rdata::{MX, TXT},
    },
};

/// What is published at a name.
#[derive(Clone, Debug)]
pub enum Published {
    /// A text, in the parts that it is published in.
    Text(&'static str, Vec<String>),
    /// A mail server.
    Mail(&'static str, u16, &'static str),
    /// The server says that it cannot tell.
    Trouble(&'static str),
}

impl Published {
    fn name(&self) -> &'static str {
        match self {
            Self::Text(name, _) | Self::Mail(name, ..) | Self::Trouble(name) => name,
        }
    }

    fn data(&self) -> Option<RData> {
        match self {
            Self::Text(_, parts) => Some(RData::TXT(TXT::new(parts.clone()))),
            Self::Mail(_, preference, server) => {
                Some(RData::MX(MX::new(*preference, Name::from_ascii(server).unwrap())))
            }
            Self::Trouble(_) => None,
        }
    }
}

/// Starts a server that publishes this; its thread ends with the test's process.
pub fn serve(published: Vec<Published>) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok((length, from)) = socket.recv_from(&mut bytes) {
            let Ok(asked) = Message::from_vec(&bytes[..length]) else { continue };
            socket.send_to(&answer(&asked, &published).to_vec().unwrap(), from).unwrap();
        }
    });
    address
}

fn answer(asked: &Message, published: &[Published]) -> Message {
    let mut answer = Message::new(asked.id, MessageType::Response, OpCode::Query);
    answer.metadata.recursion_desired = true;
    answer.metadata.recursion_available = true;
    let query = asked.queries[0].clone();
    let at =
        |published: &&Published| Name::from_ascii(format!("{}.", published.name())).unwrap() == *query.name();
    let here: Vec<_> = published.iter().filter(at).collect();
    answer.metadata.response_code = match here.first() {
        None => ResponseCode::NXDomain,
        Some(Published::Trouble(_)) => ResponseCode::ServFail,
        Some(_) => ResponseCode::NoError,
    };
    for data in here.into_iter().filter_map(Published::data) {
        let of_type = matches!(
            (&data, query.query_type()),
            (RData::TXT(_), RecordType::TXT) | (RData::MX(_), RecordType::MX)
        );
        if of_type {
            answer.add_answer(Record::from_rdata(query.name().clone(), 60, data));
        }
    }
    answer.add_query(query);
    answer
}
