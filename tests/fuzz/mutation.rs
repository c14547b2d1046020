//! What may have happened to the bytes of a file.

/// A source of chance that is the same for the same seed (`SplitMix64`).
pub struct Random(u64);

impl Random {
    /// The one of this seed.
    pub fn of(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 below 0.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap().max(1);
        usize::try_from(self.next() % end).unwrap()
    }

    /// Whether something happens that happens once in so many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    pub fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// A part of so many bytes: most often a short one.
    fn part(&mut self, length: usize) -> std::ops::Range<usize> {
        let from = self.below(length + 1);
        let most = if self.once_in(4) { length } else { 24 };
        from..(from + self.below(most + 1)).min(length)
    }
}

/// What means something in a text file, or to a program that reads one.
const TOKENS: [&[u8]; 54] = [
    b",",
    b";",
    b"\t",
    b"|",
    b"\"",
    b"\"\"",
    b"\",\"",
    b"\n",
    b"\r",
    b"\r\n",
    b"\r\r\n",
    b"\n\n",
    b"\0",
    b"\x1f",
    b"\x02",
    b"\x03",
    b" ",
    b"'",
    b"'=",
    b"=1+1",
    b"-",
    b"@",
    b"\xEF\xBB\xBF",
    b"\xFF\xFE",
    b"\xFE\xFF",
    b"\xA0",
    b"\xC2\xA0",
    b"\xE2\x80\xAF",
    b"\xE2\x88\x92",
    b"\xE2\x80\x99",
    b"\xC3",
    b"\xED\xA0\x80",
    b"\xF4\x90\x80\x80",
    b"\x80",
    b"\x81",
    b"sep=;\r\n",
    b"sep=,\n",
    b"version:v1.0",
    b"Example: ",
    b"PK\x03\x04",
    b"PK\x01\x02",
    b"PK\x05\x06",
    b"%PDF-1.7",
    b"<html>",
    b"{\"a\":1}",
    b"1.234,56",
    b"1,234.56",
    b"1.234",
    b"1'234",
    b"01/02/2024",
    b"31.01.2024",
    b"2024-02-30",
    b"99999999999999999999",
    b"1E+17",
];

/// A text file after something happened to it, once or several times.
pub fn of_text(random: &mut Random, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = random.one(corpus).clone();
    for _ in 0..=random.below(4) {
        mutate(random, &mut bytes, corpus, &TOKENS);
    }
    bytes
}

/// Something happens to bytes.
pub fn mutate(random: &mut Random, bytes: &mut Vec<u8>, corpus: &[Vec<u8>], tokens: &[&[u8]]) {
    let at = random.below(bytes.len() + 1);
    match random.below(12) {
        0 if !bytes.is_empty() => {
            let at = random.below(bytes.len());
            bytes[at] ^= 1 << random.below(8);
        }
        1 if !bytes.is_empty() => {
            let at = random.below(bytes.len());
            bytes[at] = u8::try_from(random.below(256)).unwrap();
        }
        2 => bytes.truncate(at),
        3 => drop(bytes.drain(random.part(bytes.len()))),
        4 => {
            let part = bytes[random.part(bytes.len())].to_vec();
            bytes.splice(at..at, part);
        }
        5 => {
            let other = random.one(corpus);
            let part = other[random.part(other.len())].to_vec();
            bytes.splice(at..at, part);
        }
        6 => {
            // The beginning of one and the end of another.
            let other = random.one(corpus);
            let from = random.below(other.len() + 1);
            bytes.truncate(at);
            bytes.extend_from_slice(&other[from..]);
        }
        7 => swap_lines(random, bytes),
        8 => {
            let (from, to) = (*random.one(tokens), *random.one(tokens));
            replace_all(bytes, from, to);
        }
        9 => {
            let part = random.part(bytes.len());
            let turned = bytes[part.clone()].iter().map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' => byte ^ 0x20,
                b'0'..=b'8' => byte + 1,
                byte => *byte,
            });
            let turned: Vec<u8> = turned.collect();
            bytes.splice(part, turned);
        }
        _ => {
            let token = *random.one(tokens);
            let over = if random.once_in(2) { token.len().min(bytes.len() - at) } else { 0 };
            bytes.splice(at..at + over, token.iter().copied());
        }
    }
}

fn swap_lines(random: &mut Random, bytes: &mut Vec<u8>) {
    let mut lines: Vec<Vec<u8>> = bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let (one, other) = (random.below(lines.len()), random.below(lines.len()));
    if lines.len() > 1 {
        lines.swap(one, other);
    }
    *bytes = lines.concat();
}

fn replace_all(bytes: &mut Vec<u8>, from: &[u8], to: &[u8]) {
    let (mut at, mut made) = (0, Vec::with_capacity(bytes.len()));
    while at < bytes.len() {
        if bytes[at..].starts_with(from) {
            made.extend_from_slice(to);
            at += from.len();
        } else {
            made.push(bytes[at]);
            at += 1;
        }
    }
    *bytes = made;
}
