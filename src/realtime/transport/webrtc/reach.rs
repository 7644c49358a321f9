//! How clients reach the relay: the addresses it listens on, and those it tells.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use super::config::Config;

/// The addresses of one relay, best first.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    /// Where clients may send datagrams.
    pub udp: Vec<SocketAddr>,
    /// Where clients may connect, if they may.
    pub tcp: Vec<SocketAddr>,
    /// Addresses of this machine to name as the sender: a socket of all addresses would answer from another one than was
    /// asked.
    pub own: Vec<IpAddr>,
    /// Whether the socket serves both families, and shows IPv4 as part of IPv6.
    pub mapped: bool,
}

impl Reach {
    /// How what is bound to `udp`, and to `tcp` beside it, is reached.
    pub(super) fn of(config: &Config, udp: SocketAddr, tcp: Option<SocketAddr>) -> io::Result<Self> {
        let own = if udp.ip().is_unspecified() { addresses(udp.is_ipv6())? } else { vec![udp.ip()] };
        let told: Vec<IpAddr> = config.advertised().collect();
        let told = if told.is_empty() { &own } else { &told };
        let at = |port: u16| told.iter().map(|address| SocketAddr::new(*address, port)).collect();
        Ok(Self {
            udp: at(udp.port()),
            tcp: tcp.map_or_else(Vec::new, |tcp| at(tcp.port())),
            mapped: udp.is_ipv6() && udp.ip().is_unspecified(),
            own: if udp.ip().is_unspecified() && !udp.is_ipv6() { own } else { Vec::new() },
        })
    }
}

/// The addresses of this machine, IPv4 first. Loopback is told only where there is nothing else: for a client elsewhere it
/// is its own machine. Link-local addresses are left out, they mean nothing without an interface.
fn addresses(both: bool) -> io::Result<Vec<IpAddr>> {
    let all: Vec<IpAddr> = if_addrs::get_if_addrs()?.into_iter().map(|interface| interface.ip()).collect();
    let usable = |address: &IpAddr| match address {
        IpAddr::V4(v4) => !v4.is_link_local(),
        IpAddr::V6(v6) => both && !v6.is_unicast_link_local(),
    };
    let mut usable: Vec<IpAddr> = all.into_iter().filter(usable).collect();
    if usable.iter().any(|address| !address.is_loopback()) {
        usable.retain(|address| !address.is_loopback());
    }
    usable.sort_by_key(IpAddr::is_ipv6);
    Ok(usable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(advertise: &[&str], udp: &str, tcp: Option<&str>) -> Reach {
        let config = Config { advertise: advertise.iter().map(ToString::to_string).collect(), ..Config::default() };
        Reach::of(&config, udp.parse().unwrap(), tcp.map(|tcp| tcp.parse().unwrap())).unwrap()
    }

    fn shown(addresses: &[SocketAddr]) -> Vec<String> {
        addresses.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn one_address_is_told_as_it_is() {
        let reach = reach(&[], "127.0.0.1:8080", None);
        assert_eq!(shown(&reach.udp), ["127.0.0.1:8080"]);
        assert!(reach.tcp.is_empty());
    }

    #[test]
    fn what_is_to_be_advertised_is_told_instead() {
        let reach = reach(&["203.0.113.5", "2001:db8::5"], "0.0.0.0:8080", Some("0.0.0.0:8443"));
        assert_eq!(shown(&reach.udp), ["203.0.113.5:8080", "[2001:db8::5]:8080"]);
        assert_eq!(shown(&reach.tcp), ["203.0.113.5:8443", "[2001:db8::5]:8443"]);
    }

    #[test]
    fn all_addresses_are_those_of_this_machine() {
        let reach = reach(&[], "0.0.0.0:8080", None);
        assert!(!reach.udp.is_empty());
        assert!(reach.udp.iter().all(|address| address.is_ipv4() && !address.ip().is_unspecified()));
        assert_eq!(reach.own.len(), reach.udp.len());
    }
}
