//! One file over HTTP, continued where it broke off.

use std::path::Path;

use reqwest::{
    Client, Response, StatusCode, Url,
    header::{CONTENT_RANGE, RANGE},
};
use tokio::{
    fs::{File, OpenOptions},
    io::AsyncWriteExt,
};

use super::index::plain;

/// Attempts in a row that bring nothing before giving up.
const FRUITLESS: u32 = 3;

/// Fetches `url` into `part`, continuing what is there. `size` is what the whole file must have; `progress` hears how
/// many bytes are there.
pub(super) async fn fetch(
    client: &Client,
    url: &Url,
    part: &Path,
    size: u64,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<(), String> {
    let mut fruitless = 0;
    loop {
        let before = length(part).await;
        if before == size {
            return Ok(());
        }
        let error = match attempt(client, url, part, size, progress).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        fruitless = if length(part).await > before { 0 } else { fruitless + 1 };
        if fruitless >= FRUITLESS {
            return Err(error);
        }
        tracing::debug!(%error, "download broke off, continuing");
    }
}

async fn attempt(
    client: &Client,
    url: &Url,
    part: &Path,
    size: u64,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<(), String> {
    let there = length(part).await;
    let there = if there > size { 0 } else { there };
    let mut request = client.get(url.clone());
    if there > 0 {
        request = request.header(RANGE, format!("bytes={there}-"));
    }
    let mut response = request.send().await.map_err(|error| plain(&error))?;
    if response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
        tokio::fs::remove_file(part).await.map_err(|error| error.to_string())?;
        return Err("the server has less than was there".into());
    }
    response = response.error_for_status().map_err(|error| plain(&error))?;
    let continues = there > 0 && begins_at(&response, there);
    let mut done = if continues { there } else { 0 };
    let mut file = open(part, continues).await.map_err(|error| format!("{}: {error}", part.display()))?;
    let result = loop {
        match response.chunk().await {
            Ok(Some(chunk)) if done + chunk.len() as u64 > size => break Err("more bytes than the file has".to_owned()),
            Ok(Some(chunk)) => {
                file.write_all(&chunk).await.map_err(|error| format!("{}: {error}", part.display()))?;
                done += chunk.len() as u64;
                progress(done);
            }
            Ok(None) if done < size => break Err(format!("broke off after {done} of {size} bytes")),
            Ok(None) => break Ok(()),
            Err(error) => break Err(plain(&error)),
        }
    };
    file.flush().await.map_err(|error| format!("{}: {error}", part.display()))?;
    result
}

/// Whether the server sends the rest only; many send the whole file whatever is asked.
fn begins_at(response: &Response, offset: u64) -> bool {
    let range = response.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok()).unwrap_or_default();
    response.status() == StatusCode::PARTIAL_CONTENT && range.starts_with(&format!("bytes {offset}-"))
}

async fn open(part: &Path, continues: bool) -> std::io::Result<File> {
    OpenOptions::new().create(true).write(true).append(continues).truncate(!continues).open(part).await
}

async fn length(part: &Path) -> u64 {
    tokio::fs::metadata(part).await.map_or(0, |data| data.len())
}
