//! Reads a file as its bytes arrive. What writers get wrong is forgiven; what cannot be read is named.

use super::{UNKNOWN, tag};
use crate::{Clip, SampleRate, codec::g711};

/// Why bytes are not a WAV file that can be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WavError {
    /// They do not begin as one.
    #[error("not a RIFF/WAVE file")]
    NotWav,
    /// The samples come before the chunk that says what they are, or its numbers make no sense.
    #[error("malformed WAV file: {0}")]
    Malformed(&'static str),
    /// The samples are written in a way not read here.
    #[error("WAV coding {tag:#06x} with {bits} bits a sample is not supported")]
    Unsupported {
        /// The format tag.
        tag: u16,
        /// Bits a sample.
        bits: u16,
    },
    /// The bytes end before any samples.
    #[error("the WAV file ends before its data")]
    NoData,
}

/// Reads a whole file: PCM of 8, 16, 24 or 32 bits, 32-bit float, G.711; any channels are mixed to one. A file cut
/// short gives what there is.
///
/// # Errors
/// [`WavError`] as it says.
pub fn read(bytes: &[u8]) -> Result<Clip, WavError> {
    let (mut reader, mut samples) = (Reader::new(), Vec::new());
    reader.push(bytes, &mut samples)?;
    let rate = reader.finish()?;
    Ok(Clip::new(rate, samples))
}

/// Reads one file in pieces of any size; holds at most a header or one sample of each channel.
#[derive(Clone, Debug)]
pub struct Reader {
    state: State,
    /// Bytes of an incomplete header or sample.
    held: Vec<u8>,
    /// Bytes read in all.
    offset: u64,
    /// Where the file said it ends.
    end: u64,
    layout: Option<Layout>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Riff,
    ChunkHeader,
    /// The head of a format chunk of this size.
    Format(u32),
    Skip(u64),
    /// This many bytes of samples are left; endless in a file that was streamed.
    Data(u64),
    Finished,
}

impl Reader {
    /// A reader at the beginning of a file.
    pub const fn new() -> Self {
        Self { state: State::Riff, held: Vec::new(), offset: 0, end: 0, layout: None }
    }

    /// The rate of the samples, once known; before the first of them is.
    pub fn rate(&self) -> Option<SampleRate> {
        self.layout.map(|layout| layout.rate)
    }

    /// Takes the next bytes and appends the samples they complete to `out`.
    ///
    /// # Errors
    /// [`WavError`] as it says; the reader is of no use after it.
    pub fn push(&mut self, mut bytes: &[u8], out: &mut Vec<i16>) -> Result<(), WavError> {
        while !bytes.is_empty() {
            let before = self.offset;
            let taken = match self.state {
                State::Riff => self.gather(bytes, 12, |reader, head| reader.riff(head))?,
                State::ChunkHeader => self.gather(bytes, 8, |reader, head| reader.chunk(head))?,
                State::Format(size) => {
                    self.gather(bytes, size.min(EXTENSIBLE_SIZE) as usize, |reader, head| reader.format(size, head))?
                }
                State::Skip(left) => self.skip(bytes, left),
                State::Data(left) => self.data(bytes, left, out),
                State::Finished => bytes.len(),
            };
            self.offset = before + taken as u64;
            bytes = &bytes[taken..];
        }
        Ok(())
    }

    /// Ends the file and tells the rate of its samples. Half a sample at the end is dropped.
    ///
    /// # Errors
    /// [`WavError::NotWav`] or [`WavError::NoData`] if it ended before its samples.
    pub fn finish(self) -> Result<SampleRate, WavError> {
        match (self.state, self.layout) {
            (State::Data(_) | State::Finished, Some(layout)) => Ok(layout.rate),
            (State::Riff, _) => Err(WavError::NotWav),
            _ => Err(WavError::NoData),
        }
    }

    /// Holds bytes until there are `size`, then gives them to `then`.
    fn gather(
        &mut self,
        bytes: &[u8],
        size: usize,
        then: impl FnOnce(&mut Self, &[u8]) -> Result<(), WavError>,
    ) -> Result<usize, WavError> {
        let taken = bytes.len().min(size - self.held.len());
        self.held.extend_from_slice(&bytes[..taken]);
        if self.held.len() == size {
            // `then` sees the offset behind the head, however many pieces it came in.
            self.offset += taken as u64;
            let head = std::mem::take(&mut self.held);
            then(self, &head)?;
        }
        Ok(taken)
    }

    fn riff(&mut self, head: &[u8]) -> Result<(), WavError> {
        if !matches!(&head[..4], b"RIFF" | b"RF64") || &head[8..] != b"WAVE" {
            return Err(WavError::NotWav);
        }
        self.end = 8 + u64::from(long(head, 4));
        self.state = State::ChunkHeader;
        Ok(())
    }

    fn chunk(&mut self, head: &[u8]) -> Result<(), WavError> {
        let size = long(head, 4);
        self.state = match &head[..4] {
            b"fmt " if size < 16 => return Err(WavError::Malformed("the format chunk is too short")),
            b"fmt " => State::Format(size),
            b"data" if self.layout.is_none() => return Err(WavError::Malformed("data comes before its format")),
            b"data" => State::Data(self.data_size(size)),
            _ => State::Skip(padded(size)),
        };
        Ok(())
    }

    /// A size of 0 means unknown unless the file says that something follows.
    fn data_size(&self, size: u32) -> u64 {
        match size {
            UNKNOWN => u64::MAX,
            0 if self.end <= self.offset || self.end == 8 + u64::from(UNKNOWN) => u64::MAX,
            size => u64::from(size),
        }
    }

    fn format(&mut self, size: u32, head: &[u8]) -> Result<(), WavError> {
        self.layout = Some(Layout::parse(head)?);
        let left = padded(size) - head.len() as u64;
        self.state = if left == 0 { State::ChunkHeader } else { State::Skip(left) };
        Ok(())
    }

    fn skip(&mut self, bytes: &[u8], left: u64) -> usize {
        let taken = left.min(bytes.len() as u64);
        self.state = if taken == left { State::ChunkHeader } else { State::Skip(left - taken) };
        taken as usize
    }

    fn data(&mut self, bytes: &[u8], left: u64, out: &mut Vec<i16>) -> usize {
        let taken = left.min(bytes.len() as u64) as usize;
        if let Some(layout) = self.layout {
            let mut bytes = &bytes[..taken];
            if !self.held.is_empty() {
                let (head, rest) = bytes.split_at(bytes.len().min(layout.block - self.held.len()));
                self.held.extend_from_slice(head);
                bytes = rest;
                if self.held.len() == layout.block {
                    out.push(layout.mix(&self.held));
                    self.held.clear();
                }
            }
            let blocks = bytes.chunks_exact(layout.block);
            self.held.extend_from_slice(blocks.remainder());
            out.extend(blocks.map(|block| layout.mix(block)));
        }
        self.state = match left {
            u64::MAX => State::Data(u64::MAX),
            left if left == taken as u64 => State::Finished,
            left => State::Data(left - taken as u64),
        };
        taken
    }
}

impl Default for Reader {
    fn default() -> Self {
        Self::new()
    }
}

#[derive(Clone, Copy, Debug)]
enum Coding {
    Unsigned8,
    Signed16,
    Signed24,
    Signed32,
    Float32,
    Ulaw,
    Alaw,
}

/// How samples lie in the data.
#[derive(Clone, Copy, Debug)]
struct Layout {
    coding: Coding,
    rate: SampleRate,
    /// Bytes of one sample of one channel.
    width: usize,
    /// Bytes of one sample of every channel.
    block: usize,
}

impl Layout {
    /// Reads the head of a format chunk, 16 bytes at least.
    fn parse(head: &[u8]) -> Result<Self, WavError> {
        let (mut tag, channels, bits) = (short(head, 0), short(head, 2), short(head, 14));
        if tag == tag::EXTENSIBLE {
            if head.len() < EXTENSIBLE_SIZE as usize {
                return Err(WavError::Malformed("the extensible format is too short"));
            }
            tag = short(head, 24);
        }
        let (coding, width) = match (tag, bits) {
            (tag::PCM, 8) => (Coding::Unsigned8, 1),
            (tag::PCM, 16) => (Coding::Signed16, 2),
            (tag::PCM, 24) => (Coding::Signed24, 3),
            (tag::PCM, 32) => (Coding::Signed32, 4),
            (tag::FLOAT, 32) => (Coding::Float32, 4),
            (tag::ULAW, 8) => (Coding::Ulaw, 1),
            (tag::ALAW, 8) => (Coding::Alaw, 1),
            (tag, bits) => return Err(WavError::Unsupported { tag, bits }),
        };
        let rate = SampleRate::new(long(head, 4)).ok_or(WavError::Malformed("its sample rate makes no sense"))?;
        if channels == 0 {
            return Err(WavError::Malformed("it has no channels"));
        }
        Ok(Self { coding, rate, width, block: width * usize::from(channels) })
    }

    /// The mean of the channels of one block.
    fn mix(&self, block: &[u8]) -> i16 {
        let channels = block.chunks_exact(self.width).map(|sample| i64::from(self.coding.linear(sample)));
        let count = (self.block / self.width) as i64;
        (channels.sum::<i64>() / count) as i16
    }
}

impl Coding {
    /// One sample in 16 bits; `bytes` is as wide as the coding.
    fn linear(self, bytes: &[u8]) -> i16 {
        match (self, bytes) {
            (Self::Unsigned8, &[byte]) => (i16::from(byte) - 128) << 8,
            (Self::Ulaw, &[code]) => g711::linear_from_ulaw(code),
            (Self::Alaw, &[code]) => g711::linear_from_alaw(code),
            (Self::Signed16, &[low, high]) => i16::from_le_bytes([low, high]),
            (Self::Signed24, &[low, middle, high]) => rounded(i32::from_le_bytes([0, low, middle, high])),
            (Self::Signed32, &[a, b, c, d]) => rounded(i32::from_le_bytes([a, b, c, d])),
            // `as` saturates, and makes silence of what is not a number.
            (Self::Float32, &[a, b, c, d]) => (f32::from_le_bytes([a, b, c, d]) * 32_768.0).round() as i16,
            _ => 0,
        }
    }
}

/// The upper 16 bits, rounded.
const fn rounded(sample: i32) -> i16 {
    (sample.saturating_add(0x8000) >> 16) as i16
}

/// Chunks begin at even offsets.
fn padded(size: u32) -> u64 {
    u64::from(size) + u64::from(size % 2)
}

fn short(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn long(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Size of a format chunk with `WAVE_FORMAT_EXTENSIBLE`'s additions; more is skipped.
const EXTENSIBLE_SIZE: u32 = 40;
