//! Pages of Ogg (RFC 3533, section 6): packets of one stream, so that a player finds its way.

/// Packets that are to go into the next page.
#[derive(Debug)]
pub(super) struct Pages {
    serial: u32,
    sequence: u32,
    lacing: Vec<u8>,
    packets: Vec<u8>,
}

/// What a page is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// The stream begins with it.
    First = 2,
    /// One of those between.
    Middle = 0,
    /// The stream ends with it.
    Last = 4,
}

impl Pages {
    /// A stream of this serial number.
    pub(super) fn new(serial: u32) -> Self {
        Self { serial, sequence: 0, lacing: Vec::new(), packets: Vec::new() }
    }

    /// Puts a packet into the next page, which has room for 255 of these.
    pub(super) fn push(&mut self, packet: &[u8]) {
        self.lacing.extend(std::iter::repeat_n(255, packet.len() / 255));
        self.lacing.push((packet.len() % 255) as u8);
        self.packets.extend_from_slice(packet);
    }

    /// Whether nothing waits for the next page.
    pub(super) fn is_empty(&self) -> bool {
        self.lacing.is_empty()
    }

    /// Whether the next page has no room for another packet.
    pub(super) fn is_full(&self) -> bool {
        self.lacing.len() + LACING > usize::from(u8::MAX)
    }

    /// Appends the page to `out`. `granule` is how far the stream is with its last packet.
    pub(super) fn cut(&mut self, kind: Kind, granule: u64, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(b"OggS\0");
        out.push(kind as u8);
        out.extend_from_slice(&granule.to_le_bytes());
        out.extend_from_slice(&self.serial.to_le_bytes());
        out.extend_from_slice(&self.sequence.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        out.push(self.lacing.len() as u8);
        out.append(&mut self.lacing);
        out.append(&mut self.packets);
        let checksum = checksum(&out[start..]);
        out[start + CHECKSUM..start + CHECKSUM + 4].copy_from_slice(&checksum.to_le_bytes());
        self.sequence += 1;
    }
}

/// CRC-32 with the polynomial 0x04c11db7, neither reflected nor inverted.
fn checksum(page: &[u8]) -> u32 {
    page.iter().fold(0, |crc, byte| crc << 8 ^ TABLE[usize::from((crc >> 24) as u8 ^ byte)])
}

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = (byte as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            crc = crc << 1 ^ if crc >> 31 == 1 { 0x04c1_1db7 } else { 0 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

/// Most lacing values of one packet: the largest of Opus has 1275 bytes.
const LACING: usize = 6;
/// Where a page holds its checksum.
const CHECKSUM: usize = 22;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        // CRC-32/MPEG-2 without its initial value: of "123456789" it is 0x89a1897f (reveng's catalogue, CRC-32/CKSUM's
        // polynomial with init and xorout 0).
        assert_eq!(checksum(b"123456789"), 0x89a1_897f);
        assert_eq!(checksum(b""), 0);
    }

    #[test]
    fn long_packets_are_laced_and_ended() {
        let mut pages = Pages::new(7);
        for length in [0, 254, 255, 510] {
            pages.push(&vec![1; length]);
        }
        let mut out = Vec::new();
        pages.cut(Kind::First, 960, &mut out);
        assert_eq!(out[..6], *b"OggS\0\x02");
        assert_eq!(out[26], 1 + 1 + 2 + 3);
        assert_eq!(out[27..34], [0, 254, 255, 0, 255, 255, 0]);
        assert_eq!(out.len(), 34 + 254 + 255 + 510);
        assert!(pages.is_empty() && !pages.is_full());
    }
}
