//! A mail as its reader's program sees it: fields decoded, and its text and HTML apart.

/// A mail that was read.
pub struct Eml {
    head: String,
    /// The body as plain text.
    pub text: String,
    /// The body as HTML, if there is one.
    pub html: Option<String>,
}

impl Eml {
    /// Reads a complete message.
    pub fn read(eml: &str) -> Self {
        let eml = eml.replace("\r\n", "\n");
        let (head, body) = split(&eml);
        let mut parts = parts(&head, body).into_iter();
        Self { text: parts.next().unwrap(), html: parts.next(), head }
    }

    /// A field's value, RFC 2047 words of UTF-8 in base64 decoded; nothing if it is not there.
    pub fn field(&self, name: &str) -> String {
        words(&field(&self.head, name))
    }
}

/// The parts of a multipart message, or the one body, decoded.
fn parts(head: &str, body: &str) -> Vec<String> {
    let of = field(head, "Content-Type");
    let Some((_, boundary)) = of.split_once("boundary=") else { return vec![decoded(head, body)] };
    let mark = format!("--{}", boundary.trim_matches('"'));
    let mut between: Vec<&str> = body.split(&mark).skip(1).collect();
    assert_eq!(between.pop().map(str::trim), Some("--"), "the last mark ends the message: {body}");
    let parts = between.into_iter().map(|part| {
        let (head, body) = split(part.trim_start());
        decoded(&head, body)
    });
    parts.collect()
}

/// The head, unfolded, and what comes after it.
fn split(eml: &str) -> (String, &str) {
    let (head, body) = eml.split_once("\n\n").unwrap();
    (head.replace("\n ", " ").replace("\n\t", " "), body)
}

fn field(head: &str, name: &str) -> String {
    let found = head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    found.unwrap_or_default().to_owned()
}

fn decoded(head: &str, body: &str) -> String {
    match field(head, "Content-Transfer-Encoding").as_str() {
        "quoted-printable" => quoted_printable(body),
        "base64" => String::from_utf8(base64(body)).unwrap(),
        _ => body.to_owned(),
    }
}

fn words(header: &str) -> String {
    let mut bytes = Vec::new();
    let mut was_encoded = false;
    for word in header.trim().split(' ').filter(|word| !word.is_empty()) {
        let encoded = word.strip_prefix("=?utf-8?b?").and_then(|rest| rest.strip_suffix("?="));
        if !(bytes.is_empty() || was_encoded && encoded.is_some()) {
            bytes.push(b' ');
        }
        was_encoded = encoded.is_some();
        bytes.extend(encoded.map_or_else(|| word.as_bytes().to_vec(), base64));
    }
    String::from_utf8(bytes).unwrap()
}

fn base64(encoded: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut held, mut bytes) = (0_u32, 0, Vec::new());
    for byte in encoded.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=') {
        let value = ALPHABET.iter().position(|letter| *letter == byte).unwrap();
        bits = (bits << 6) | u32::try_from(value).unwrap();
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 0xff).unwrap());
        }
    }
    bytes
}

fn quoted_printable(text: &str) -> String {
    let text = text.replace("=\n", "");
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        if *first == b'=' {
            bytes.push(u8::from_str_radix(std::str::from_utf8(&after[..2]).unwrap(), 16).unwrap());
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).unwrap()
}
