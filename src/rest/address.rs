//! Where a request comes from: the other end of its connection, or, behind proxies of ours, whom they say they speak for.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::{ConnectInfo, Request},
    http::{Extensions, HeaderMap, HeaderName},
};
use ipnet::IpNet;

/// Whom a request is from.
#[derive(Clone, Copy, Debug)]
struct Client(IpAddr);

/// Finds out whom a request is from, once, for all who ask [`of`].
pub(super) fn note(request: &mut Request, trusted: &[IpNet]) {
    let connected = request.extensions().get::<ConnectInfo<SocketAddr>>();
    if let Some(ConnectInfo(address)) = connected {
        let client = Client(client(address.ip(), request.headers(), trusted));
        request.extensions_mut().insert(client);
    }
}

/// Whom a request is from, if it came over a network.
pub(super) fn of(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<Client>().map(|Client(address)| *address)
}

/// The first address, from here outwards, that is none of our proxies'. Each proxy appends whom it was asked by, so what stands
/// before that address was said by strangers. Where a proxy says nothing that can be read, it is the client.
fn client(connected: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let ours = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    let mut client = connected.to_canonical();
    for line in headers.get_all(FORWARDED_FOR).iter().rev() {
        for said in line.to_str().unwrap_or_default().rsplit(',') {
            if !ours(client) {
                return client;
            }
            let Some(before) = read(said.trim()) else { return client };
            client = before;
        }
    }
    client
}

/// An address, with or without a port.
fn read(said: &str) -> Option<IpAddr> {
    let plain = said.parse().or_else(|_| said.parse().map(|address: SocketAddr| address.ip()));
    plain.ok().map(|address: IpAddr| address.to_canonical())
}

/// What proxies tell it by; RFC 7239 standardised another, which few of them send.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

#[cfg(test)]
mod tests {
    use super::*;

    fn found(connected: &str, lines: &[&str]) -> String {
        let headers = lines.iter().map(|line| (FORWARDED_FOR, line.parse().unwrap())).collect();
        let trusted = ["10.0.0.0/8", "127.0.0.1/32", "2001:db8::/32"].map(|network| network.parse().unwrap());
        client(connected.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn a_stranger_cannot_say_that_they_are_somebody_else() {
        assert_eq!(found("192.0.2.1", &["198.51.100.1"]), "192.0.2.1");
        assert_eq!(found("127.0.0.1", &["203.0.113.9, 198.51.100.1"]), "198.51.100.1", "what stands before is theirs");
        assert_eq!(found("127.0.0.1", &["203.0.113.9", "198.51.100.1, 10.1.2.3"]), "198.51.100.1");
    }

    #[test]
    fn proxies_are_passed_through_in_whatever_form_they_write() {
        assert_eq!(found("::ffff:127.0.0.1", &["198.51.100.1:4711"]), "198.51.100.1");
        assert_eq!(found("2001:db8::1", &["[2001:4860::1]:443, ::ffff:10.0.0.1"]), "2001:4860::1");
        assert_eq!(found("127.0.0.1", &[]), "127.0.0.1");
        assert_eq!(found("127.0.0.1", &["unknown"]), "127.0.0.1");
        assert_eq!(found("127.0.0.1", &["unknown, 10.0.0.1"]), "10.0.0.1");
    }
}
