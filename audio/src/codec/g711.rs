//! ITU-T G.711 µ-law and A-law, one byte a sample at 8 kHz.
//!
//! Where the recommendation leaves open how 16-bit two's complement meets its sign-magnitude tables,
//! ITU-T G.191 (the reference software) decides: negative values are complemented bit by bit.

/// The µ-law code of a 16-bit sample (G.711 tables 2a and 2b; 14 significant bits).
pub const fn ulaw_from_linear(sample: i16) -> u8 {
    const CLIP: u16 = 0x1fff;
    let negative = sample < 0;
    let magnitude = (if negative { !sample } else { sample }) as u16 >> 2;
    let biased = if magnitude + BIAS > CLIP { CLIP } else { magnitude + BIAS };
    // Segment n begins where bit 5 + n is the highest.
    let segment = 10 - biased.leading_zeros() as u16;
    let step = (biased >> (segment + 1)) & 0xf;
    let code = (segment << 4 | step) as u8;
    !(if negative { code | 0x80 } else { code })
}

/// The A-law code of a 16-bit sample (G.711 tables 1a and 1b; 13 significant bits).
pub const fn alaw_from_linear(sample: i16) -> u8 {
    let negative = sample < 0;
    let magnitude = (if negative { !sample } else { sample }) as u16 >> 4;
    let code = if magnitude < 32 {
        magnitude
    } else {
        let segment = 12 - magnitude.leading_zeros() as u16;
        segment << 4 | (magnitude >> (segment - 1)) & 0xf
    } as u8;
    // Even bits are inverted on the line so that silence has transitions.
    (if negative { code } else { code | 0x80 }) ^ 0x55
}

/// The 16-bit sample of a µ-law code.
pub const fn linear_from_ulaw(code: u8) -> i16 {
    ULAW[code as usize]
}

/// The 16-bit sample of an A-law code.
pub const fn linear_from_alaw(code: u8) -> i16 {
    ALAW[code as usize]
}

const fn expand_ulaw(code: u8) -> i16 {
    let code = !code;
    let segment = (code >> 4) & 7;
    let middle = ((code & 0xf) as u16) * 2 + BIAS;
    let magnitude = (((middle << segment) - BIAS) << 2) as i16;
    if code & 0x80 != 0 { -magnitude } else { magnitude }
}

const fn expand_alaw(code: u8) -> i16 {
    let code = code ^ 0x55;
    let segment = (code >> 4) & 7;
    let middle = ((code & 0xf) as u16) * 2 + 1;
    let magnitude = ((if segment == 0 { middle } else { (middle + 32) << (segment - 1) }) << 3) as i16;
    if code & 0x80 != 0 { magnitude } else { -magnitude }
}

/// What µ-law adds to a 14-bit magnitude so that segments double from zero on.
const BIAS: u16 = 33;

static ULAW: [i16; 256] = table(true);
static ALAW: [i16; 256] = table(false);

const fn table(ulaw: bool) -> [i16; 256] {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        table[code] = if ulaw { expand_ulaw(code as u8) } else { expand_alaw(code as u8) };
        code += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One row of the recommendation's tables: decision values `from..to` and the decoded value, in 16-bit units.
    struct Row {
        from: i32,
        to: i32,
        value: i32,
    }

    /// G.711 table 2a from its own words: 8 segments, 16 steps each doubling in size, the first step halved.
    fn ulaw_rows() -> Vec<Row> {
        let (mut rows, mut from) = (vec![Row { from: 0, to: 1, value: 0 }], 1);
        for segment in 0..8 {
            for _ in (if segment == 0 { 1 } else { 0 })..16 {
                let to = from + (2 << segment);
                rows.push(Row { from, to, value: (from + to) / 2 });
                from = to;
            }
        }
        assert_eq!((from, rows.len()), (8159, 128), "the virtual decision value of table 2a");
        rows.into_iter().map(|row| Row { from: row.from * 4, to: row.to * 4, value: row.value * 4 }).collect()
    }

    /// G.711 table 1a: 32 steps of 2, then 6 segments of 16 steps, doubling; 12-bit magnitudes.
    fn alaw_rows() -> Vec<Row> {
        let (mut rows, mut from) = (Vec::new(), 0);
        for segment in 0..8_u32 {
            for _ in 0..16 {
                let to = from + (2 << segment.saturating_sub(1));
                rows.push(Row { from, to, value: (from + to) / 2 });
                from = to;
            }
        }
        assert_eq!((from, rows.len()), (4096, 128), "the virtual decision value of table 1a");
        rows.into_iter().map(|row| Row { from: row.from * 8, to: row.to * 8, value: row.value * 8 }).collect()
    }

    /// Which row holds a sample; a magnitude on a decision value belongs above if positive, below if negative.
    fn row_of(rows: &[Row], sample: i16) -> usize {
        let magnitude = i32::from(sample).abs();
        let inside = |row: &Row| match sample >= 0 {
            true => row.from <= magnitude && magnitude < row.to,
            false => row.from < magnitude && magnitude <= row.to,
        };
        rows.iter().position(inside).unwrap_or(rows.len() - 1)
    }

    #[test]
    fn every_sample_gets_the_code_of_its_row_in_table_2() {
        let rows = ulaw_rows();
        for sample in i16::MIN..=i16::MAX {
            let row = row_of(&rows, sample) as u8;
            assert_eq!(ulaw_from_linear(sample), if sample < 0 { 0x7f - row } else { 0xff - row }, "{sample}");
        }
    }

    #[test]
    fn every_sample_gets_the_code_of_its_row_in_table_1() {
        let rows = alaw_rows();
        for sample in i16::MIN..=i16::MAX {
            let row = row_of(&rows, sample) as u8;
            assert_eq!(alaw_from_linear(sample), (if sample < 0 { row } else { row | 0x80 }) ^ 0x55, "{sample}");
        }
    }

    #[test]
    fn every_code_decodes_to_the_value_of_its_row() {
        let (ulaw, alaw) = (ulaw_rows(), alaw_rows());
        for row in 0..128_u8 {
            let at = usize::from(row);
            assert_eq!(i32::from(linear_from_ulaw(0xff - row)), ulaw[at].value);
            assert_eq!(i32::from(linear_from_ulaw(0x7f - row)), -ulaw[at].value);
            assert_eq!(i32::from(linear_from_alaw((row | 0x80) ^ 0x55)), alaw[at].value);
            assert_eq!(i32::from(linear_from_alaw(row ^ 0x55)), -alaw[at].value);
        }
    }

    #[test]
    fn known_codes_have_their_published_values() {
        for (code, value) in [(0x00, -32124), (0x80, 32124), (0xff, 0), (0x7f, 0), (0xf0, 120), (0xbf, 1980)] {
            assert_eq!(linear_from_ulaw(code), value, "µ-law {code:#04x}");
        }
        for (code, value) in [(0xd5, 8), (0x55, -8), (0x2a, -32256), (0xaa, 32256), (0x80, 5504)] {
            assert_eq!(linear_from_alaw(code), value, "A-law {code:#04x}");
        }
    }

    #[test]
    fn decoded_values_encode_to_their_own_code_but_for_the_negative_zero() {
        for code in 0..=255 {
            let expected = if code == 0x7f { 0xff } else { code };
            assert_eq!(ulaw_from_linear(linear_from_ulaw(code)), expected);
            assert_eq!(alaw_from_linear(linear_from_alaw(code)), code);
        }
    }
}
