//! Signed 16-bit little-endian samples.

/// Appends the bytes of `samples` to `out`.
pub fn encode(samples: &[i16], out: &mut Vec<u8>) {
    out.reserve(samples.len() * 2);
    for sample in samples {
        out.extend_from_slice(&sample.to_le_bytes());
    }
}

/// Appends the samples of `bytes`, preceded by the byte `carry` if there is one; returns the byte left over.
pub fn decode(carry: Option<u8>, bytes: &[u8], out: &mut Vec<i16>) -> Option<u8> {
    let bytes = match (carry, bytes) {
        (None, bytes) => bytes,
        (Some(low), []) => return Some(low),
        (Some(low), [high, rest @ ..]) => {
            out.push(i16::from_le_bytes([low, *high]));
            rest
        }
    };
    let (pairs, odd) = bytes.as_chunks::<2>();
    out.extend(pairs.iter().map(|&pair| i16::from_le_bytes(pair)));
    odd.first().copied()
}
