//! The directory of a ZIP archive (PKWARE, "APPNOTE.TXT", sections 4.3 and 4.5.3): as much of the format as NumPy
//! writes.

use std::io::{Read, Seek, SeekFrom};

use super::member::Member;
use crate::readers::failure::Failure;
use crate::readers::source::memory;

const END: u32 = 0x0605_4B50;
const END_64: u32 = 0x0606_4B50;
const LOCATOR_64: u32 = 0x0706_4B50;
const ENTRY: u32 = 0x0201_4B50;
/// The extra field that has sizes of 64 bits.
const EXTRA_64: u16 = 0x0001;
/// The end record, and the longest comment after it.
const LONGEST_END: u64 = 22 + 0xFFFF;
const ENTRY_BYTES: u64 = 46;

/// Little-endian numbers at places of a record that is long enough.
pub(super) struct Record<'a>(pub(super) &'a [u8]);

impl Record<'_> {
    pub(super) fn u16(&self, at: usize) -> u16 {
        u16::from_le_bytes([self.0[at], self.0[at + 1]])
    }

    pub(super) fn u32(&self, at: usize) -> u32 {
        u32::from(self.u16(at)) | u32::from(self.u16(at + 2)) << 16
    }

    fn u64(&self, at: usize) -> u64 {
        u64::from(self.u32(at)) | u64::from(self.u32(at + 4)) << 32
    }
}

pub(super) fn damaged(at: u64, rule: &str) -> Failure {
    Failure::Format(format!("damaged ZIP archive at byte {at}: {rule}"))
}

/// `count` bytes at a place, which must lie within the file.
pub(super) fn read_at(
    file: &mut (impl Read + Seek),
    length: u64,
    at: u64,
    count: u64,
) -> Result<Vec<u8>, Failure> {
    if at.checked_add(count).is_none_or(|end| end > length) {
        return Err(damaged(at, &format!("{count} bytes are expected here, but the file has {length}")));
    }
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = memory(count)?;
    if file.take(count).read_to_end(&mut bytes)? as u64 != count {
        return Err(damaged(at, &format!("{count} bytes are expected here, but the file ends")));
    }
    Ok(bytes)
}

/// The members of an archive of so many bytes.
pub(super) fn members(file: &mut (impl Read + Seek), length: u64) -> Result<Vec<Member>, Failure> {
    let (start, count, bytes) = directory(file, length)?;
    if count.saturating_mul(ENTRY_BYTES) > bytes {
        return Err(damaged(start, &format!("{count} members do not go into a directory of {bytes} bytes")));
    }
    let directory = read_at(file, length, start, bytes)?;
    let mut members = Vec::new();
    let mut at = 0;
    for _ in 0..count {
        let rest = &directory[at..];
        let place = start + at as u64;
        let entry = Record(rest);
        if rest.len() < ENTRY_BYTES as usize || entry.u32(0) != ENTRY {
            return Err(damaged(place, "no entry of a directory"));
        }
        let [name, extra, comment] = [28, 30, 32].map(|at| usize::from(entry.u16(at)));
        let end = ENTRY_BYTES as usize + name + extra + comment;
        if rest.len() < end {
            return Err(damaged(place, "an entry ends beyond the directory"));
        }
        let (name, extra) = rest[ENTRY_BYTES as usize..end - comment].split_at(name);
        members.push(member(&entry, name, extra, place)?);
        at += end;
    }
    // Members that share bytes could make a small file a large one.
    let packed = members.iter().try_fold(0u64, |sum, member| sum.checked_add(member.packed));
    if packed.is_none_or(|packed| packed > length) {
        return Err(damaged(start, "the members together are longer than the file"));
    }
    Ok(members)
}

/// Where the directory begins, how many members it has, and how many bytes.
fn directory(file: &mut (impl Read + Seek), length: u64) -> Result<(u64, u64, u64), Failure> {
    let tail_start = length.saturating_sub(LONGEST_END);
    let tail = read_at(file, length, tail_start, length - tail_start)?;
    // The comment may have anything in it, so the last record whose comment ends with the file is the one.
    let is_end = |at: &usize| {
        let record = Record(&tail[*at..]);
        record.u32(0) == END && at + 22 + usize::from(record.u16(20)) == tail.len()
    };
    let Some(at) = (0..(tail.len() + 1).saturating_sub(22)).rev().find(is_end) else {
        return Err(Failure::Format(
            "not a ZIP archive, or truncated: the directory at its end is missing".into(),
        ));
    };
    let end = Record(&tail[at..]);
    let (count, bytes, start) = (end.u16(10), end.u32(12), end.u32(16));
    let place = tail_start + at as u64;
    if count == u16::MAX || bytes == u32::MAX || start == u32::MAX {
        return directory_64(file, length, place);
    }
    Ok((u64::from(start), u64::from(count), u64::from(bytes)))
}

/// The same, in 64 bits; `end` is the place of the record in 32.
fn directory_64(file: &mut (impl Read + Seek), length: u64, end: u64) -> Result<(u64, u64, u64), Failure> {
    let Some(place) = end.checked_sub(20) else {
        return Err(damaged(0, "the locator of a directory in 64 bits is missing"));
    };
    let locator = read_at(file, length, place, 20)?;
    let locator = Record(&locator);
    if locator.u32(0) != LOCATOR_64 {
        return Err(damaged(place, "the locator of a directory in 64 bits is missing"));
    }
    let place = locator.u64(8);
    let record = read_at(file, length, place, 56)?;
    let record = Record(&record);
    if record.u32(0) != END_64 {
        return Err(damaged(place, "the end of a directory in 64 bits is missing"));
    }
    Ok((record.u64(48), record.u64(32), record.u64(40)))
}

fn member(entry: &Record<'_>, name: &[u8], extra: &[u8], place: u64) -> Result<Member, Failure> {
    let Ok(name) = std::str::from_utf8(name) else {
        return Err(damaged(place, "the name of a member is not UTF-8"));
    };
    let mut sizes = [24, 20, 42].map(|at| u64::from(entry.u32(at)));
    if sizes.contains(&u64::from(u32::MAX)) {
        let Some(long) = extra_64(extra) else {
            return Err(damaged(place, &format!("{name}: sizes in 64 bits are missing")));
        };
        let mut long = long.as_chunks::<8>().0.iter().map(|&bytes| u64::from_le_bytes(bytes));
        // Only the sizes that do not fit into 32 bits are there.
        for size in sizes.iter_mut().filter(|size| **size == u64::from(u32::MAX)) {
            match long.next() {
                Some(long) => *size = long,
                None => return Err(damaged(place, &format!("{name}: sizes in 64 bits are missing"))),
            }
        }
    }
    let [size, packed, start] = sizes;
    let (flags, method, checksum) = (entry.u16(8), entry.u16(10), entry.u32(16));
    Ok(Member { name: name.to_string(), encrypted: flags & 1 == 1, method, checksum, size, packed, start })
}

/// The contents of the extra field with sizes of 64 bits.
fn extra_64(mut extra: &[u8]) -> Option<&[u8]> {
    while extra.len() >= 4 {
        let field = Record(extra);
        let (id, length) = (field.u16(0), usize::from(field.u16(2)));
        let contents = extra.get(4..4 + length)?;
        if id == EXTRA_64 {
            return Some(contents);
        }
        extra = &extra[4 + length..];
    }
    None
}
