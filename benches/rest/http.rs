//! A client that costs little: one connection that is kept, answers read and thrown away.

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

/// A connection.
pub(crate) struct Client(BufReader<TcpStream>);

impl Client {
    pub(crate) async fn to(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self(BufReader::with_capacity(64 << 10, stream))
    }

    /// Sends a request and reads the answer to its end; its status and how long its body was.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> (u16, usize) {
        self.0.write_all(request).await.unwrap();
        let (mut status, mut length, mut line) = (0, None, String::new());
        loop {
            line.clear();
            self.0.read_line(&mut line).await.unwrap();
            let text = line.trim_end().to_ascii_lowercase();
            if text.is_empty() {
                break;
            }
            if let Some(rest) = text.strip_prefix("http/1.1 ") {
                status = rest[..3].parse().unwrap();
            }
            if let Some(rest) = text.strip_prefix("content-length: ") {
                length = Some(rest.parse().unwrap());
            }
        }
        let Some(length) = length else { return (status, self.chunks().await) };
        self.skip(length).await;
        (status, length)
    }

    async fn chunks(&mut self) -> usize {
        let mut all = 0;
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).await.unwrap();
            let length = usize::from_str_radix(line.trim_end(), 16).unwrap();
            self.skip(length + 2).await;
            all += length;
            if length == 0 {
                return all;
            }
        }
    }

    async fn skip(&mut self, length: usize) {
        tokio::io::copy(&mut (&mut self.0).take(length as u64), &mut tokio::io::sink()).await.unwrap();
    }
}

/// A request as bytes.
pub(crate) fn request(method: &str, path: &str, key: &str, kind: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {key}\r\ncontent-type: {kind}\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}
