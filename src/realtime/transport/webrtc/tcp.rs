//! Calls over TCP, for networks that let no UDP through: a passive candidate (RFC 6544), packets framed by their length
//! (RFC 4571).
//!
//! The first packet of a connection must be a STUN request that names a call; all others of the connection go to that
//! call. What does not begin so, or begins late, is hung up on without an answer.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use str0m::net::Protocol;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp::OwnedWriteHalf},
    sync::{Semaphore, mpsc},
    time::{sleep, timeout},
};

use super::port::{Datagram, Port};
use crate::clock::Clock;

/// Connections at once, of all calls.
const MOST: usize = 4_096;
/// Packets a connection may be behind. Overflow rule: the newest is lost, as over UDP.
const BEHIND: usize = 64;
/// Until the first packet.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest packet: that of a datagram.
const LONGEST: usize = 2_000;

/// Takes connections until dropped.
pub(super) async fn serve(listener: std::net::TcpListener, port: Arc<Port>, clock: Clock) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let places = Arc::new(Semaphore::new(MOST));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return Ok(()) };
        match listener.accept().await {
            Ok((stream, source)) => {
                let (port, clock) = (Arc::clone(&port), clock.clone());
                tokio::spawn(async move {
                    if let Err(error) = attend(stream, source, &port, &clock).await {
                        tracing::debug!(%error, "an ICE-TCP connection ended");
                    }
                    drop(place);
                });
            }
            // Out of file descriptors: some come back when connections end.
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn attend(stream: TcpStream, source: SocketAddr, port: &Port, clock: &Clock) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let destination = port.reach().tcp.iter().find(|address| address.is_ipv4() == source.is_ipv4()).copied();
    let destination = destination.unwrap_or(stream.local_addr()?);
    let (mut reader, writer) = stream.into_split();
    let (back, outgoing) = mpsc::channel(BEHIND);
    let first = timeout(PATIENCE, packet(&mut reader)).await??;
    let Some(call) = port.named(&first) else { return Ok(()) };
    let writing = tokio::spawn(write(writer, outgoing));
    let mut contents = first;
    loop {
        let datagram = Datagram {
            received: clock.now(),
            protocol: Protocol::Tcp,
            source,
            destination,
            contents,
            back: Some(back.clone()),
        };
        // The call takes packets as they come; one that is over has hung up.
        if call.send(datagram).await.is_err() {
            break;
        }
        match packet(&mut reader).await {
            Ok(next) => contents = next,
            Err(_) => break,
        }
    }
    writing.abort();
    Ok(())
}

/// Reads one packet of RFC 4571: two bytes of length, most significant first, and as many more.
async fn packet(reader: &mut (impl AsyncReadExt + Unpin)) -> io::Result<Bytes> {
    let length = usize::from(reader.read_u16().await?);
    if length > LONGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a packet is longer than any datagram"));
    }
    let mut contents = vec![0; length];
    reader.read_exact(&mut contents).await?;
    Ok(contents.into())
}

async fn write(mut writer: OwnedWriteHalf, mut outgoing: mpsc::Receiver<Bytes>) {
    while let Some(contents) = outgoing.recv().await {
        let Ok(length) = u16::try_from(contents.len()) else { continue };
        let framed = [&length.to_be_bytes()[..], &contents].concat();
        if writer.write_all(&framed).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn packets_are_told_apart_by_their_length() {
        let mut bytes: &[u8] = &[0, 2, 7, 8, 0, 0, 0, 1, 9];
        assert_eq!(packet(&mut bytes).await.unwrap(), [7, 8][..]);
        assert_eq!(packet(&mut bytes).await.unwrap(), [][..]);
        assert_eq!(packet(&mut bytes).await.unwrap(), [9][..]);
        assert!(packet(&mut bytes).await.is_err(), "the connection ended");
        let mut endless: &[u8] = &[0xff, 0xff, 1];
        assert_eq!(packet(&mut endless).await.unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
