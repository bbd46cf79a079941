//! [`Lines`]: what the parser does not tell: the lines of records where lines end with `\r\n` or are blank, and whether a
//! quoted field is closed. Where it is not, the parser takes the rest of the file for its text.

use std::io::Read;

/// Hands bytes through and follows records in them by the parser's rules: lines that are blank are none, a quote opens at
/// the start of a field, and a doubled one in a quoted field is text.
pub(super) struct Lines<R> {
    inner: R,
    delimiter: u8,
    place: Place,
    /// The byte before.
    last: u8,
    /// Bytes so far.
    bytes: u64,
    line: u64,
    /// The line in which each record begins, that of the names among them.
    starts: Vec<u64>,
    /// The lines that are blank, and how many records began before each.
    blanks: Vec<(usize, u64)>,
    /// The line of the last quote that opened a field.
    opened: u64,
    at_end: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    RecordStart,
    FieldStart,
    Field,
    Quoted,
    /// Behind a quote in a quoted field, which has closed it unless another follows.
    Closed,
}

impl<R> Lines<R> {
    pub(super) fn new(inner: R, delimiter: u8) -> Self {
        Lines {
            inner,
            delimiter,
            place: Place::RecordStart,
            bytes: 0,
            line: 1,
            starts: Vec::new(),
            blanks: Vec::new(),
            last: 0,
            opened: 1,
            at_end: false,
        }
    }

    /// The line of the quote that is still open at the end of the file.
    pub(super) fn unclosed(&self) -> Option<u64> {
        (self.at_end && self.place == Place::Quoted).then_some(self.opened)
    }

    /// The line in which each record begins.
    pub(super) fn starts(&self) -> &[u64] {
        &self.starts
    }

    /// The lines that are blank, and how many records began before each.
    pub(super) fn blanks(&self) -> &[(usize, u64)] {
        &self.blanks
    }

    fn follow(&mut self, byte: u8) {
        let ends = byte == b'\n' || byte == b'\r';
        // `\r\n` ends one line and not two.
        let second = byte == b'\n' && self.last == b'\r';
        if self.place == Place::RecordStart && ends && !second {
            self.blanks.push((self.starts.len(), self.line));
        }
        // The mark at the start of UTF-8 files belongs to no field.
        let mark = self.bytes < 3 && byte == [0xEF, 0xBB, 0xBF][self.bytes as usize];
        if self.place == Place::RecordStart && !ends && !mark {
            self.starts.push(self.line);
            self.place = Place::FieldStart;
        }
        self.place = match (self.place, byte) {
            (Place::FieldStart, b'"') => {
                self.opened = self.line;
                Place::Quoted
            }
            (Place::Closed, b'"') => Place::Quoted,
            (Place::Quoted, b'"') => Place::Closed,
            (Place::Quoted, _) => Place::Quoted,
            (Place::RecordStart, _) => Place::RecordStart,
            _ if ends => Place::RecordStart,
            _ if byte == self.delimiter => Place::FieldStart,
            _ => Place::Field,
        };
        self.bytes = self.bytes.saturating_add(1);
        self.line += u64::from(ends && !second);
        self.last = byte;
    }
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.at_end = n == 0 && !buffer.is_empty();
        buffer[..n].iter().for_each(|&byte| self.follow(byte));
        Ok(n)
    }
}
