//! Files of every type, how they go in, and those who read them.

use std::{
    io::{Cursor, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use image::{ImageFormat, RgbImage};
use reqwest::{
    Method,
    multipart::{Form, Part},
};
use serde_json::{Value, json};
use voice_relay::{
    documents::extract::{Limits, sandbox::Sandbox},
    jobs::Crew,
};
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::server::{Answer, Server};

/// A message of the owner, and the session it is in.
pub(crate) async fn message(server: &Server) -> (String, String) {
    let session = id(&server.post("/api/sessions", json!({})).await.body);
    let path = format!("/api/sessions/{session}/messages");
    let message = server.post(&path, json!({"role": "user", "content": "Please read this."})).await;
    (session, id(&message.body))
}

pub(crate) fn id(body: &Value) -> String {
    body["id"].as_str().unwrap_or_else(|| panic!("no id in {body}")).to_owned()
}

pub(crate) async fn upload(server: &Server, message: &str, name: &str, bytes: impl Into<Vec<u8>>) -> Answer {
    let part = Part::bytes(bytes.into()).file_name(name.to_owned());
    send(server, message, Form::new().part("file", part)).await
}

pub(crate) async fn send(server: &Server, message: &str, form: Form) -> Answer {
    let path = format!("/api/messages/{message}/attachments");
    Answer::of(server.request(Method::POST, &path).multipart(form)).await
}

/// A form with one file, sent as it is written here.
pub(crate) async fn send_raw(server: &Server, message: &str, disposition: &str, bytes: &[u8]) -> Answer {
    let head = format!("--x\r\ncontent-disposition: form-data; name=\"file\"; {disposition}\r\n\r\n");
    let body = [head.as_bytes(), bytes, b"\r\n--x--\r\n"].concat();
    let request = server.request(Method::POST, &format!("/api/messages/{message}/attachments"));
    Answer::of(request.header("content-type", "multipart/form-data; boundary=x").body(body)).await
}

/// The bytes of an attachment.
pub(crate) async fn download(server: &Server, id: &str) -> Vec<u8> {
    let response = server.request(Method::GET, &format!("/api/attachments/{id}/download")).send().await.unwrap();
    assert_eq!(response.status(), 200);
    response.bytes().await.unwrap().into()
}

/// Those who read files and remove them, with this build's program.
pub(crate) fn crew(server: &Server) -> Crew {
    crew_with(server, Sandbox::with_program(env!("CARGO_BIN_EXE_voice-relay").into(), Limits::default()))
}

pub(crate) fn crew_with(server: &Server, sandbox: Sandbox) -> Crew {
    Crew {
        db: server.context.db.clone(),
        storage: server.context.storage.clone(),
        sandbox,
        library: server.context.library.clone(),
        knowledge: server.context.config.knowledge,
        clock: server.clock.clone(),
        drain: server.context.engine.drain.clone(),
        bell: server.context.bell.clone(),
    }
}

/// The record of an attachment that is not pending any more.
pub(crate) async fn settled(server: &Server, id: &str) -> Value {
    let path = format!("/api/attachments/{id}");
    let mut record = Value::Null;
    until(async || {
        record = server.get(&path).await.body;
        record["state"] != "pending"
    })
    .await;
    record
}

/// Files that are kept.
pub(crate) fn kept(data_dir: &Path) -> Vec<PathBuf> {
    files(data_dir, "kept")
}

/// Files in a folder of the storage.
pub(crate) fn files(data_dir: &Path, folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(data_dir.join("files").join(folder)).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// Waits until this holds.
pub(crate) async fn until(mut holds: impl AsyncFnMut() -> bool) {
    let watch = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), watch).await.expect("in time");
}

/// One file of every type: its name, its bytes, and text that is read in it.
pub(crate) fn every_type() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    vec![
        ("a.pdf", pdf("Hello PDF"), "Hello PDF"),
        ("a.txt", "naïve text".into(), "naïve text"),
        ("a.md", "# Title".into(), "# Title"),
        ("a.csv", "a,b\n1,2\n".into(), "1,2"),
        ("a.png", picture(600, 300, ImageFormat::Png), ""),
        ("a.jpg", picture(600, 300, ImageFormat::Jpeg), ""),
        ("a.JPEG", picture(600, 300, ImageFormat::Jpeg), ""),
        ("a.gif", picture(600, 300, ImageFormat::Gif), ""),
        ("a.webp", picture(600, 300, ImageFormat::WebP), ""),
        ("a.docx", docx("Hello Word"), "Hello Word"),
        ("a.pptx", pptx("Hello slides"), "Hello slides"),
        ("a.xlsx", xlsx("Hello sheets"), "Hello sheets"),
        ("a.odt", odt("Hello open text"), "Hello open text"),
    ]
}

pub(crate) fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let image = RgbImage::from_fn(width, height, |x, y| image::Rgb([(x % 256) as u8, (y % 256) as u8, 90]));
    let mut file = Cursor::new(Vec::new());
    image.write_to(&mut file, format).unwrap();
    file.into_inner()
}

pub(crate) fn zipped(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

pub(crate) fn docx(text: &str) -> Vec<u8> {
    let body =
        format!("<w:document xmlns:w=\"w\"><w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body></w:document>");
    zipped(&[("[Content_Types].xml", b"<Types/>"), ("word/document.xml", body.as_bytes())])
}

fn pptx(text: &str) -> Vec<u8> {
    let slide = format!("<p:sld><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:sld>");
    zipped(&[
        ("[Content_Types].xml", b"<Types/>"),
        (
            "ppt/presentation.xml",
            b"<p:presentation><p:sldIdLst><p:sldId id=\"256\" r:id=\"rId9\"/></p:sldIdLst></p:presentation>",
        ),
        (
            "ppt/_rels/presentation.xml.rels",
            b"<Relationships><Relationship Id=\"rId9\" Target=\"slides/slide1.xml\"/></Relationships>",
        ),
        ("ppt/slides/slide1.xml", slide.as_bytes()),
    ])
}

fn xlsx(text: &str) -> Vec<u8> {
    const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let relation = |kind: &str, target: &str| {
        format!(
            "<Relationships><Relationship Id=\"rId1\" Type=\"{OFFICE}/{kind}\" Target=\"{target}\"/></Relationships>"
        )
    };
    let book = format!(
        "<workbook xmlns:r=\"{OFFICE}\"><sheets><sheet name=\"Costs\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"
    );
    let sheet = format!(
        "<worksheet><sheetData><row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>{text}</t></is></c></row></sheetData></worksheet>"
    );
    zipped(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("_rels/.rels", relation("officeDocument", "xl/workbook.xml").as_bytes()),
        ("xl/workbook.xml", book.as_bytes()),
        ("xl/_rels/workbook.xml.rels", relation("worksheet", "worksheets/sheet1.xml").as_bytes()),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
    ])
}

fn odt(text: &str) -> Vec<u8> {
    let content = format!(
        "<office:document-content><office:body><text:p>{text}</text:p></office:body></office:document-content>"
    );
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    zip.start_file("mimetype", stored).unwrap();
    zip.write_all(b"application/vnd.oasis.opendocument.text").unwrap();
    zip.start_file("content.xml", stored).unwrap();
    zip.write_all(content.as_bytes()).unwrap();
    zip.finish().unwrap().into_inner()
}

/// One page that says this (ISO 32000-1, 7.5).
pub(crate) fn pdf(words: &str) -> Vec<u8> {
    let content = format!("BT /F 12 Tf 20 200 Td ({words}) Tj ET");
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        "<</Type/Pages/Kids[4 0 R]/Count 1>>".to_owned(),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>".to_owned(),
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]/Contents 5 0 R/Resources<</Font<</F 3 0 R>>>>>>".to_owned(),
        format!("<</Length {}>>stream\n{content}\nendstream", content.len()),
    ];
    let mut file = "%PDF-1.4\n".to_owned();
    let mut table = "xref\n0 6\n0000000000 65535 f \n".to_owned();
    for (index, object) in objects.iter().enumerate() {
        table.push_str(&format!("{:010} 00000 n \n", file.len()));
        file.push_str(&format!("{} 0 obj\n{object}\nendobj\n", index + 1));
    }
    let start = file.len();
    format!("{file}{table}trailer\n<</Size 6/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n").into_bytes()
}
