//! Real files of every format, made here, and what is read in them.

use std::{
    io::{Cursor, Write},
    path::PathBuf,
};

use tempfile::TempDir;
use zip::{ZipWriter, write::SimpleFileOptions};

use super::{Extracted, Failed, Limits, extract};
use crate::documents::kind::Kind;

mod hostile;
mod office;
mod pdf;
mod pictures;
mod text;

/// A file for as long as this lives.
struct Sample {
    _folder: TempDir,
    path: PathBuf,
}

impl Sample {
    fn of(bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sample");
        std::fs::write(&path, bytes).unwrap();
        Self { _folder: folder, path }
    }

    fn read(&self, kind: Kind) -> Result<Extracted, Failed> {
        extract(&self.path, kind, &Limits::default())
    }
}

fn read(bytes: &[u8], kind: Kind) -> Result<Extracted, Failed> {
    Sample::of(bytes).read(kind)
}

fn read_within(bytes: &[u8], kind: Kind, limits: Limits) -> Result<Extracted, Failed> {
    extract(&Sample::of(bytes).path, kind, &limits)
}

/// A zip archive of these parts.
fn zipped(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A Word document with this body.
fn docx(body: &str) -> Vec<u8> {
    let document = format!("<?xml version=\"1.0\"?><w:document xmlns:w=\"w\"><w:body>{body}</w:body></w:document>");
    zipped(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("word/document.xml", document.as_bytes()),
        (
            "docProps/core.xml",
            b"<cp:coreProperties><dc:title>Plan &amp;  B</dc:title><dc:creator>Ann</dc:creator></cp:coreProperties>",
        ),
        ("docProps/app.xml", b"<Properties><Pages>3</Pages></Properties>"),
    ])
}
