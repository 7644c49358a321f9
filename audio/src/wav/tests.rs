//! Files as programs write them, and as they break.

use proptest::prelude::*;

use super::*;
use crate::{Clip, Encoding, SampleRate};

#[test]
fn what_is_written_is_read_back() {
    let clip = Clip::new(SampleRate::HZ_24000, vec![0, 1, -1, i16::MAX, i16::MIN]);
    let file = write(&clip, Encoding::Pcm16);
    assert_eq!(file.len(), 44 + 10);
    assert_eq!(read(&file), Ok(clip.clone()));
    for encoding in [Encoding::Ulaw, Encoding::Alaw] {
        let file = write(&clip, encoding);
        assert_eq!(file.len() % 2, 0, "the odd chunk is padded");
        assert_eq!(long(&file, 4) as usize, file.len() - 8);
        let back = read(&file).unwrap();
        assert_eq!((back.rate, back.samples.len()), (clip.rate, 5));
        assert!(back.samples[3] > 32_000 && back.samples[4] < -32_000);
    }
}

#[test]
fn a_streamed_file_is_read_to_its_end_whatever_it_left_in_its_sizes() {
    let samples: Vec<u8> = (0..100).collect();
    let mut streamed = header(SampleRate::HZ_16000, Encoding::Pcm16, Length::Unknown);
    assert_eq!((long(&streamed, 4), long(&streamed, 40)), (u32::MAX, u32::MAX));
    streamed.extend(&samples);
    assert_eq!(read(&streamed).unwrap().samples.len(), 50);
    for riff in [0_u32, 36, u32::MAX] {
        streamed[4..8].copy_from_slice(&riff.to_le_bytes());
        streamed[40..44].copy_from_slice(&0_u32.to_le_bytes());
        assert_eq!(read(&streamed).unwrap().samples.len(), 50, "RIFF size {riff}");
    }
    streamed[4..8].copy_from_slice(&136_u32.to_le_bytes());
    assert_eq!(read(&streamed).unwrap().samples.len(), 0, "a file that says what follows its empty data is believed");
}

#[test]
fn every_coding_and_any_channels_are_mixed_to_one() {
    let quarter = [
        (1, 8, vec![0xa0]),
        (1, 16, vec![0x00, 0x20]),
        (1, 24, vec![0x00, 0x00, 0x20]),
        (1, 32, vec![0x00, 0x00, 0x00, 0x20]),
        (3, 32, 0.25_f32.to_le_bytes().to_vec()),
    ];
    for (tag, bits, sample) in quarter {
        let silent = if bits == 8 { vec![0x80] } else { vec![0; sample.len()] };
        let stereo = file(&format(tag, 2, bits), &[sample.clone(), silent, sample.clone(), sample.clone()].concat());
        assert_eq!(read(&stereo).unwrap().samples, [4_096, 8_192], "coding {tag} of {bits} bits");
        let mut extensible = format(0xfffe, 1, bits);
        extensible.extend([22, 0, bits as u8, 0, 4, 0, 0, 0, tag as u8, 0]);
        extensible.extend(b"\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71");
        assert_eq!(read(&file(&extensible, &sample)).unwrap().samples, [8_192], "extensible {tag} of {bits} bits");
    }
    let hot = [2.0_f32, -7.0, f32::NAN, f32::INFINITY].map(f32::to_le_bytes).concat();
    assert_eq!(read(&file(&format(3, 1, 32), &hot)).unwrap().samples, [i16::MAX, i16::MIN, 0, i16::MAX]);
}

#[test]
fn chunks_of_odd_size_and_long_formats_are_stepped_over() {
    let mut bytes = file(&[format(1, 1, 16), vec![9; 31]].concat(), &[1, 0, 2, 0]);
    let list = [b"LIST".as_slice(), &5_u32.to_le_bytes(), b"hello\0"].concat();
    bytes.splice(12..12, list.clone());
    bytes.extend(list);
    assert_eq!(read(&bytes).unwrap().samples, [1, 2]);
}

#[test]
fn a_file_cut_short_gives_what_there_is() {
    let whole = write(&Clip::new(SampleRate::HZ_16000, vec![5; 100]), Encoding::Pcm16);
    assert_eq!(read(&whole[..44 + 51]).unwrap().samples, [5; 25]);
    assert_eq!(read(&whole[..44]).unwrap().samples, []);
    for end in 12..43 {
        assert_eq!(read(&whole[..end]), Err(WavError::NoData), "{end} bytes");
    }
    assert_eq!(read(&whole[..11]), Err(WavError::NotWav));
}

#[test]
fn what_cannot_be_read_is_named() {
    assert_eq!(read(b"OggS00000000000000"), Err(WavError::NotWav));
    assert_eq!(read(b"RIFF0000AVI LIST0000"), Err(WavError::NotWav));
    assert_eq!(read(&file(&format(2, 1, 4), &[])), Err(WavError::Unsupported { tag: 2, bits: 4 }));
    assert_eq!(read(&file(&format(1, 0, 16), &[])), Err(WavError::Malformed("it has no channels")));
    assert_eq!(read(&file(&[0; 8], &[])), Err(WavError::Malformed("the format chunk is too short")));
    let early = [b"RIFF\x10\0\0\0WAVEdata\x04\0\0\0".as_slice(), &[0; 4]].concat();
    assert_eq!(read(&early), Err(WavError::Malformed("data comes before its format")));
}

proptest! {
    #[test]
    fn any_chunking_reads_the_same_and_no_bytes_break_the_reader(
        noise in prop::collection::vec(any::<u8>(), 0..300),
        tag in prop::sample::select(&[1_u16, 3, 6, 7, 0xfffe][..]),
        channels in 0_u16..5,
        bits in prop::sample::select(&[8_u16, 16, 24, 32][..]),
        flips in prop::collection::vec((0_usize..80, any::<u8>()), 0..3),
        cut in 1_usize..40,
    ) {
        let mut bytes = file(&format(tag, channels, bits), &noise);
        for (at, value) in flips {
            bytes[at % 44] = value;
        }
        let (mut reader, mut samples) = (Reader::new(), Vec::new());
        let pushed = bytes.chunks(cut).try_for_each(|chunk| reader.push(chunk, &mut samples));
        let pieces = pushed.and_then(|()| reader.finish()).map(|rate| Clip::new(rate, samples));
        prop_assert_eq!(read(&bytes), pieces);
    }
}

#[test]
fn an_empty_data_chunk_means_the_same_in_any_pieces() {
    let mut bytes = file(&format(1, 1, 16), &[]);
    bytes[4..8].copy_from_slice(&42_u32.to_le_bytes());
    bytes.extend([0xF1, 0xC2, 0x6B, 0xD5, 0x32, 0x91]);
    for cut in 1..bytes.len() {
        let (mut reader, mut samples) = (Reader::new(), Vec::new());
        bytes.chunks(cut).try_for_each(|chunk| reader.push(chunk, &mut samples)).unwrap();
        let rate = reader.finish().unwrap();
        assert_eq!(read(&bytes), Ok(Clip::new(rate, samples)), "in pieces of {cut}");
    }
}

/// A format chunk's 16 bytes.
fn format(tag: u16, channels: u16, bits: u16) -> Vec<u8> {
    let block = channels * bits / 8;
    let (rate, second) = (16_000_u32.to_le_bytes(), (16_000 * u32::from(block)).to_le_bytes());
    [&tag.to_le_bytes()[..], &channels.to_le_bytes(), &rate, &second, &block.to_le_bytes(), &bits.to_le_bytes()]
        .concat()
}

fn file(format: &[u8], data: &[u8]) -> Vec<u8> {
    let pad = vec![0; format.len() % 2];
    let (format_size, data_size) = ((format.len() as u32).to_le_bytes(), (data.len() as u32).to_le_bytes());
    let riff = (20 + format.len() as u32 + pad.len() as u32 + data.len() as u32).to_le_bytes();
    [b"RIFF", &riff[..], b"WAVEfmt ", &format_size, format, &pad, b"data", &data_size, data].concat()
}

fn long(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}
