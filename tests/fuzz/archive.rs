//! Workbooks as archives of their parts.

use std::io::{Cursor, Read as _, Write as _};

use zip::{CompressionMethod, ZipArchive, ZipWriter, write::SimpleFileOptions};

/// The parts of an archive: name and bytes. `None`: it is none, or damaged.
pub fn parts(bytes: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let mut parts = Vec::new();
    for at in 0..archive.len() {
        let mut part = archive.by_index(at).ok()?;
        let name = part.name().ok()?.to_string();
        let mut text = Vec::new();
        part.read_to_end(&mut text).ok()?;
        parts.push((name, text));
    }
    Some(parts)
}

/// An archive of these parts.
pub fn archive(parts: &[(String, Vec<u8>)], packed: bool) -> Vec<u8> {
    let method = if packed { CompressionMethod::Deflated } else { CompressionMethod::Stored };
    let options = SimpleFileOptions::default().compression_method(method);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        // A name that is there already is not written twice.
        if writer.start_file(name.as_str(), options).is_ok() {
            writer.write_all(text).unwrap();
        }
    }
    writer.finish().unwrap().into_inner()
}
