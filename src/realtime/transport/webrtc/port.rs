//! One UDP port for all calls: datagrams in are handed to the call they belong to, datagrams out go straight to the socket.
//!
//! A STUN request names its call by the user name that only the call's answer told (RFC 8445, 7.2.2); every other datagram
//! belongs to the call that its address last proved to be of. What belongs to no call is dropped without an answer, so
//! nobody is reflected upon. Overflow rule: a call that does not take its datagrams loses the newest, as on any network.

use std::{
    collections::{BTreeMap, HashMap},
    io::{self, IoSliceMut},
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use quinn_udp::{RecvMeta, Transmit, UdpSocketState};
use str0m::{ice::StunMessage, net::Protocol};
use tokio::{
    io::Interest,
    net::UdpSocket,
    sync::mpsc::{self, error::TrySendError},
};

use super::reach::Reach;
use crate::{clock::Clock, metrics};

/// Datagrams a call may be behind: a quarter of a megabyte of events, which come back to back.
const BEHIND: usize = 256;
/// Addresses that one call may come from.
const ADDRESSES: usize = 8;
/// An address belongs to its call until it has been silent for this long; then another call may have it.
const SILENT: Duration = Duration::from_secs(5);
/// Buffers filled in one system call.
const BATCH: usize = 8;
/// A buffer holds as many datagrams of one sender as the kernel joins (GRO).
const BUFFER: usize = 1 << 16;

/// One datagram, or one packet of a TCP connection.
#[derive(Debug)]
pub(super) struct Datagram {
    pub(super) received: Instant,
    pub(super) protocol: Protocol,
    pub(super) source: SocketAddr,
    /// The candidate it was sent to.
    pub(super) destination: SocketAddr,
    pub(super) contents: Bytes,
    /// For TCP: the way back.
    pub(super) back: Option<mpsc::Sender<Bytes>>,
}

/// The socket, and which call has which name.
pub(crate) struct Port {
    socket: UdpSocket,
    state: UdpSocketState,
    clock: Clock,
    reach: Reach,
    /// Calls by the ICE user name fragment of their answer. Locked for the length of a map operation, by a call's start
    /// and end and by STUN requests.
    calls: Mutex<HashMap<String, mpsc::Sender<Datagram>>>,
}

/// A call's place at the port; dropping it gives the place up.
pub(super) struct Berth {
    port: Arc<Port>,
    name: String,
    datagrams: mpsc::Receiver<Datagram>,
}

/// Whose an address is.
struct Owner {
    call: mpsc::Sender<Datagram>,
    last: Instant,
}

impl Port {
    /// A port on a bound socket, which clients reach as `reach` has it.
    pub(super) fn new(socket: std::net::UdpSocket, reach: Reach, clock: Clock) -> io::Result<Self> {
        let socket = UdpSocket::from_std(socket)?;
        let state = UdpSocketState::new((&socket).into())?;
        Ok(Self { socket, state, clock, reach, calls: Mutex::default() })
    }

    pub(super) const fn reach(&self) -> &Reach {
        &self.reach
    }

    /// A place for the call with this ICE user name fragment.
    pub(super) fn berth(self: &Arc<Self>, name: String) -> Berth {
        let (sender, datagrams) = mpsc::channel(BEHIND);
        self.lock().insert(name.clone(), sender);
        Berth { port: Arc::clone(self), name, datagrams }
    }

    /// Sends a datagram from the candidate `source`. What the socket does not take is lost.
    pub(super) fn send(&self, source: SocketAddr, destination: SocketAddr, contents: &[u8]) {
        let destination = if self.reach.mapped { mapped_v6(destination) } else { destination };
        let transmit = Transmit {
            destination,
            ecn: None,
            contents,
            segment_size: None,
            src_ip: self.reach.own.iter().find(|own| **own == source.ip()).copied(),
        };
        let sent = self.socket.try_io(Interest::WRITABLE, || self.state.try_send((&self.socket).into(), &transmit));
        if let Err(error) = sent {
            metrics::datagram_lost("out");
            tracing::trace!(%error, "a datagram was not sent");
        }
    }

    /// Takes datagrams until dropped.
    pub(super) async fn serve(self: Arc<Self>) {
        let mut owners = BTreeMap::new();
        let mut storage = vec![0_u8; BATCH * BUFFER];
        let mut metas = [RecvMeta::default(); BATCH];
        loop {
            if let Err(error) = self.socket.readable().await {
                tracing::error!(%error, "the WebRTC port cannot be read");
                return;
            }
            let mut buffers: Vec<_> = storage.chunks_mut(BUFFER).map(IoSliceMut::new).collect();
            let received = self
                .socket
                .try_io(Interest::READABLE, || self.state.recv((&self.socket).into(), &mut buffers, &mut metas));
            let Ok(count) = received else { continue };
            let now = self.clock.now();
            for (meta, buffer) in metas.iter().zip(&buffers).take(count) {
                for contents in buffer[..meta.len].chunks(meta.stride.max(1)) {
                    self.deliver(&mut owners, now, meta, contents);
                }
            }
        }
    }

    /// The call that a STUN request names.
    pub(super) fn named(&self, contents: &[u8]) -> Option<mpsc::Sender<Datagram>> {
        let message = StunMessage::parse(contents).ok()?;
        let (ours, _) = message.split_username()?;
        self.lock().get(ours).cloned()
    }

    fn deliver(&self, owners: &mut BTreeMap<SocketAddr, Owner>, now: Instant, meta: &RecvMeta, contents: &[u8]) {
        let source = canonical(meta.addr);
        let Some(call) = self.owner(owners, now, source, contents) else { return metrics::datagram_lost("unknown") };
        let datagram = Datagram {
            received: now,
            protocol: Protocol::Udp,
            source,
            destination: self.reached(meta.dst_ip, source),
            contents: Bytes::copy_from_slice(contents),
            back: None,
        };
        if let Err(TrySendError::Full(_)) = call.try_send(datagram) {
            metrics::datagram_lost("in");
        }
    }

    fn owner<'a>(
        &self,
        owners: &'a mut BTreeMap<SocketAddr, Owner>,
        now: Instant,
        source: SocketAddr,
        contents: &[u8],
    ) -> Option<&'a mpsc::Sender<Datagram>> {
        // The first two bits of STUN are zero (RFC 7983).
        let named = contents.first().is_some_and(|first| *first < 4).then(|| self.named(contents)).flatten();
        if let Some(call) = named {
            let free = owners
                .get(&source)
                .is_none_or(|owner| owner.call.is_closed() || now.saturating_duration_since(owner.last) > SILENT);
            if free {
                owners.retain(|_, owner| !owner.call.is_closed());
                if owners.values().filter(|owner| owner.call.same_channel(&call)).count() >= ADDRESSES {
                    return None;
                }
                owners.insert(source, Owner { call: call.clone(), last: now });
            } else if owners.get(&source).is_some_and(|owner| !owner.call.same_channel(&call)) {
                return None;
            }
        }
        let owner = owners.get_mut(&source)?;
        owner.last = now;
        Some(&owner.call)
    }

    /// The candidate a datagram was sent to: behind NAT, one that stands for the address it reached.
    fn reached(&self, address: Option<IpAddr>, source: SocketAddr) -> SocketAddr {
        let exact = address.map(|address| address.to_canonical());
        let candidates = &self.reach.udp;
        let of_family = || candidates.iter().find(|candidate| candidate.is_ipv4() == source.is_ipv4());
        let candidate = candidates.iter().find(|candidate| Some(candidate.ip()) == exact).or_else(of_family);
        candidate.copied().unwrap_or(source)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, mpsc::Sender<Datagram>>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Berth {
    /// The next datagram of this call.
    pub(super) async fn next(&mut self) -> Option<Datagram> {
        self.datagrams.recv().await
    }

    /// Another datagram that is there already.
    pub(super) fn more(&mut self) -> Option<Datagram> {
        self.datagrams.try_recv().ok()
    }

    pub(super) fn port(&self) -> &Port {
        &self.port
    }
}

impl Drop for Berth {
    fn drop(&mut self) {
        self.port.lock().remove(&self.name);
    }
}

/// A sender's address as it is, where the socket of both families shows IPv4 as part of IPv6.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

fn mapped_v6(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(v4) => SocketAddr::new(v4.ip().to_ipv6_mapped().into(), v4.port()),
        SocketAddr::V6(_) => address,
    }
}
