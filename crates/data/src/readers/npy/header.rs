//! [`Header`]: what an NPY file says of its array.

use std::io::Read;

use super::descr::Descr;
use crate::readers::failure::Failure;

const MAGIC: &[u8] = b"\x93NUMPY";
/// Longer headers are refused; NumPy's own are a few hundred bytes.
const MAX_HEADER: u64 = 64 * 1024;
/// As many dimensions as NumPy has.
const MAX_RANK: usize = 64;

#[derive(Debug)]
pub(super) struct Header {
    pub(super) descr: Descr,
    pub(super) fortran_order: bool,
    pub(super) shape: Vec<u64>,
    /// Where the data begins in the file.
    pub(super) end: u64,
}

impl Header {
    pub(super) fn read(stream: &mut impl Read, available: u64) -> Result<Header, Failure> {
        let mut start = [0; 8];
        read_exactly(stream, &mut start)?;
        if &start[..6] != MAGIC {
            return Err(Failure::Format(format!(
                "not an NPY file: it starts with the bytes {:02x?}",
                &start[..6]
            )));
        }
        let version = (start[6], start[7]);
        let (before, length) = match version {
            (1, 0) => {
                let mut length = [0; 2];
                read_exactly(stream, &mut length)?;
                (10, u64::from(u16::from_le_bytes(length)))
            }
            (2 | 3, 0) => {
                let mut length = [0; 4];
                read_exactly(stream, &mut length)?;
                (12, u64::from(u32::from_le_bytes(length)))
            }
            (major, minor) => {
                return Err(Failure::Format(format!(
                    "unknown NPY version {major}.{minor}: expected 1.0 to 3.0"
                )));
            }
        };
        if length > MAX_HEADER || before + length > available {
            return Err(Failure::Format(format!("truncated or damaged: its header asks for {length} bytes")));
        }
        let mut text = vec![0; length as usize];
        read_exactly(stream, &mut text)?;
        Parser { text: &text, at: 0, before }.header(before + length)
    }
}

fn read_exactly(stream: &mut impl Read, bytes: &mut [u8]) -> Result<(), Failure> {
    match stream.read_exact(bytes) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Err(Failure::Format("truncated: it ends within the NPY header".into()))
        }
        Err(error) => Err(Failure::Io(error)),
    }
}

/// The header's text: a Python dictionary with the keys `descr`, `fortran_order` and `shape`.
struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    /// Bytes of the file in front of the text.
    before: u64,
}

impl<'a> Parser<'a> {
    fn header(mut self, end: u64) -> Result<Header, Failure> {
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        self.expect(b'{')?;
        while self.peek() != Some(b'}') {
            let key = self.string()?;
            self.expect(b':')?;
            let repeated = match key {
                "descr" => descr.replace(Descr::parse(self.string()?)?).is_some(),
                "fortran_order" => fortran_order.replace(self.boolean()?).is_some(),
                "shape" => shape.replace(self.tuple()?).is_some(),
                _ => return Err(self.wrong(&format!("the key {key:?} is not known"))),
            };
            if repeated {
                return Err(self.wrong(&format!("the key {key:?} comes twice")));
            }
            if self.peek() != Some(b'}') {
                self.expect(b',')?;
            }
        }
        self.expect(b'}')?;
        if self.peek().is_some() {
            return Err(self.wrong("something follows the dictionary"));
        }
        match (descr, fortran_order, shape) {
            (Some(descr), Some(fortran_order), Some(shape)) => {
                Ok(Header { descr, fortran_order, shape, end })
            }
            _ => Err(self.wrong("descr, fortran_order or shape is missing")),
        }
    }

    fn wrong(&self, rule: &str) -> Failure {
        Failure::Format(format!("damaged NPY header at byte {}: {rule}", self.before + self.at as u64))
    }

    /// The next byte that is not white space.
    fn peek(&mut self) -> Option<u8> {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    fn expect(&mut self, byte: u8) -> Result<(), Failure> {
        if self.peek() != Some(byte) {
            return Err(self.wrong(&format!("expected {:?}", byte as char)));
        }
        self.at += 1;
        Ok(())
    }

    fn string(&mut self) -> Result<&'a str, Failure> {
        let quote = match self.peek() {
            Some(quote @ (b'\'' | b'"')) => quote,
            Some(b'[') => return Err(self.wrong("its elements are records, which cannot be read")),
            _ => return Err(self.wrong("expected a text")),
        };
        let rest = &self.text[self.at + 1..];
        let Some(length) = rest.iter().position(|&byte| byte == quote) else {
            return Err(self.wrong("a text does not end"));
        };
        let Ok(text) = std::str::from_utf8(&rest[..length]) else {
            return Err(self.wrong("a text is not UTF-8"));
        };
        self.at += length + 2;
        Ok(text)
    }

    fn boolean(&mut self) -> Result<bool, Failure> {
        self.peek();
        for (word, value) in [("True", true), ("False", false)] {
            if self.text[self.at..].starts_with(word.as_bytes()) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.wrong("expected True or False"))
    }

    fn tuple(&mut self) -> Result<Vec<u64>, Failure> {
        let mut numbers = Vec::new();
        self.expect(b'(')?;
        while self.peek() != Some(b')') {
            if numbers.len() == MAX_RANK {
                return Err(self.wrong(&format!("more than {MAX_RANK} dimensions")));
            }
            numbers.push(self.number()?);
            if self.peek() != Some(b')') {
                self.expect(b',')?;
            }
        }
        self.expect(b')')?;
        Ok(numbers)
    }

    fn number(&mut self) -> Result<u64, Failure> {
        self.peek();
        let rest = &self.text[self.at..];
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number = std::str::from_utf8(&rest[..digits]).ok().and_then(|digits| digits.parse().ok());
        let Some(number) = number else {
            return Err(self.wrong("expected a size"));
        };
        self.at += digits;
        // What Python 2 wrote behind long integers.
        if self.text.get(self.at) == Some(&b'L') {
            self.at += 1;
        }
        Ok(number)
    }
}
