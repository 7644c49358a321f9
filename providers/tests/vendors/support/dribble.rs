//! A network on which every byte travels alone.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

/// A way to the server at this URL. What comes first travels together, each way, up to the end of `together`: libraries refuse
/// handshakes in too many pieces.
pub(crate) async fn dribbling(base_url: &str, together: &'static [u8]) -> SocketAddr {
    let target = base_url.rsplit('/').next().unwrap().to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(&target).await.unwrap();
            client.set_nodelay(true).unwrap();
            server.set_nodelay(true).unwrap();
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            tokio::spawn(dribble(from_client, to_server, together));
            tokio::spawn(dribble(from_server, to_client, together));
        }
    });
    address
}

async fn dribble(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, together: &[u8]) {
    let mut bytes = Vec::new();
    while !together.is_empty() && !bytes.windows(together.len()).any(|end| end == together) {
        if from.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let _ = to.write_all(&bytes).await;
    let mut bytes = [0; 256];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        for byte in &bytes[..count] {
            if to.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::task::yield_now().await;
        }
    }
}
