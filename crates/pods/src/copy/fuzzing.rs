//! Rules that no archive may break. The fuzz target of `tests/fuzz` calls them, and so do the ordinary tests.

use std::path::Component;

use super::{
    inside::path_below,
    tar::{Event, Reader},
};

/// An archive: it is read or refused, always with the same result, however the network cuts it, and no entry of it has
/// a path outside of what was asked for. Its data is as long as it says, and what is held is never more than one chunk
/// and an extension.
///
/// The first byte of the input is how long the chunks are.
pub fn archive(input: &[u8]) {
    let Some((step, archive)) = input.split_first() else { return };
    let whole = events(archive, archive.len().max(1));
    assert_eq!(whole, events(archive, usize::from(*step) + 1), "the same bytes are read in two ways");
    for base in ["site", "."] {
        for (path, _) in &whole.entries {
            let Ok(below) = path_below(path, base) else { continue };
            let is_plain = below.components().all(|component| matches!(component, Component::Normal(_)));
            assert!(is_plain && !below.is_absolute(), "{} is outside", below.display());
        }
    }
}

/// What an archive holds: of each entry the path, and how much data it has.
#[derive(Debug, PartialEq, Eq)]
struct Events {
    entries: Vec<(Vec<u8>, u64)>,
    problem: Option<String>,
    is_whole: bool,
}

fn events(archive: &[u8], step: usize) -> Events {
    let mut reader = Reader::new();
    let mut entries = Vec::new();
    let mut left = 0;
    for chunk in archive.chunks(step) {
        reader.push(chunk);
        loop {
            match reader.next() {
                Ok(None) => break,
                Ok(Some(Event::Entry(entry))) => {
                    assert_eq!(left, 0, "an entry begins inside of another");
                    left = entry.size;
                    entries.push((entry.path, 0));
                }
                Ok(Some(Event::Data(data))) => {
                    assert!(!data.is_empty() && data.len() as u64 <= left, "there is more data than there is to be");
                    left -= data.len() as u64;
                    if let Some((_, length)) = entries.last_mut() {
                        *length += data.len() as u64;
                    }
                }
                Ok(Some(Event::End)) => assert_eq!(left, 0, "an entry ends before its data"),
                Err(problem) => return Events { entries, problem: Some(problem.0), is_whole: false },
            }
        }
    }
    Events { entries, problem: None, is_whole: reader.is_at_end() }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tar::{END, Kind, header, padding},
        *,
    };

    /// An archive with entries of many kinds.
    fn sample() -> Vec<u8> {
        let mut archive = Vec::new();
        let long = format!("site/{}/file", "folder/".repeat(40));
        let fields = format!("{} path=site/named by a field\n", "00 path=site/named by a field\n".len());
        let mut field = header(b"site/x", Kind::File, 0o644, fields.len() as u64, 0);
        field[156] = b'x';
        for (head, data) in [
            (header(b"site/", Kind::Folder, 0o755, 0, 1), &b""[..]),
            (header(b"./site/a", Kind::File, 0o4755, 5, 1), b"hello"),
            (header(long.as_bytes(), Kind::File, 0o600, 512, 1), &[7; 512]),
            (renewed(field), fields.as_bytes()),
            (header(b"site/b", Kind::File, 0o644, 3, 1), b"abc"),
            (header(b"../outside", Kind::File, 0o644, 1, 1), b"x"),
        ] {
            archive.extend(head);
            archive.extend(data);
            archive.extend(padding(data.len() as u64));
        }
        archive.extend(END);
        archive
    }

    /// The header with its checksum written anew.
    fn renewed(mut block: Vec<u8>) -> Vec<u8> {
        block[148..156].fill(b' ');
        let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        block
    }

    #[test]
    fn archives_are_read_as_they_were_written() {
        let archive = sample();
        let read = events(&archive, 7);
        let paths: Vec<_> = read.entries.iter().map(|(path, _)| String::from_utf8_lossy(path).into_owned()).collect();
        let long = format!("site/{}/file", "folder/".repeat(40));
        assert_eq!(paths, ["site/", "./site/a", &long, "site/named by a field", "../outside"]);
        let lengths: Vec<_> = read.entries.iter().map(|(_, length)| *length).collect();
        assert_eq!((lengths, read.is_whole), (vec![0, 5, 512, 3, 1], true));
        // Without its end it is not whole.
        assert!(!events(&archive[..archive.len() - 512], 512).is_whole);
    }

    #[test]
    fn archives_of_tar_are_read() {
        for (name, archive) in [
            ("gnu", &include_bytes!("../../../../tests/fuzz/seeds/archive/gnu")[..]),
            ("pax", include_bytes!("../../../../tests/fuzz/seeds/archive/pax")),
        ] {
            super::archive(archive);
            let read = events(&archive[1..], 100);
            let mut paths: Vec<_> = read.entries.iter().map(|(path, length)| (path.len(), *length)).collect();
            paths.sort_unstable();
            let long = "./site/deep/".len() + 120;
            assert_eq!(paths, [(7, 0), (8, 6), (11, 0), (12, 0), (long, 2)], "{name}");
            assert!(read.is_whole && read.problem.is_none(), "{name}");
        }
    }

    #[test]
    fn no_archive_breaks_the_reader() {
        let sample = sample();
        let mut random = fastrand::Rng::with_seed(7);
        for round in 0..3000_u32 {
            let mut archive = sample.clone();
            for _ in 0..random.usize(1..8) {
                match random.u8(0..4) {
                    0 => {
                        let index = random.usize(0..archive.len());
                        archive[index] = random.u8(..);
                    }
                    1 => archive.truncate(random.usize(1..=archive.len())),
                    2 => {
                        let at = random.usize(0..archive.len()) / 512 * 512;
                        let end = (at + 512).min(archive.len());
                        archive = [&archive[..end], &archive[at..]].concat();
                    }
                    _ => {
                        // A header that is changed in a field and has a right checksum.
                        let at = random.usize(0..archive.len()) / 512 * 512;
                        if at + 512 <= archive.len() {
                            archive[at + random.usize(0..345)] = random.u8(..);
                            let block = renewed(archive[at..at + 512].to_vec());
                            archive[at..at + 512].copy_from_slice(&block);
                        }
                    }
                }
            }
            archive.insert(0, round.to_le_bytes()[0]);
            super::archive(&archive);
        }
    }

    #[test]
    fn hostile_headers_are_refused() {
        let with = |change: fn(&mut Vec<u8>)| {
            let mut block = header(b"site/a", Kind::File, 0o644, 3, 0);
            change(&mut block);
            events(&renewed(block), 512).problem.expect("it is refused")
        };
        for (change, problem) in [
            ((|block| block[124..136].fill(0xff)) as fn(&mut Vec<u8>), "the size of an entry is not a number"),
            (|block| block[124..128].copy_from_slice(b"8765"), "the size of an entry is not a number"),
            (|block| block[124..136].copy_from_slice(b"\x80\0\0\0\xff\0\0\0\0\0\0\0"), "an entry is larger than"),
            (|block| block[156] = b'S', "an entry is of the kind 'S'"),
            (
                |block| {
                    block[156] = b'L';
                    block[124..136].copy_from_slice(b"00100000000\0");
                },
                "what is said of an entry is longer than",
            ),
        ] {
            let told = with(change);
            assert!(told.contains(problem), "{told}");
        }
        let mut block = header(b"site/a", Kind::File, 0o644, 3, 0);
        block[0] = b'x';
        assert!(events(&block, 512).problem.expect("it is refused").contains("checksum"));
    }
}
