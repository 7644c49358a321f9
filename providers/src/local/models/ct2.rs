//! Reading CTranslate2 model files, binary version 6: named tensors one after another.
//!
//! Only the table of contents is held; a tensor is read when asked for, so converting a model needs the memory of its
//! largest tensor, not of the model.

use std::{
    collections::BTreeMap,
    io::{self, Read, Seek, SeekFrom},
};

use half::f16;

/// An open model file.
pub(super) struct Reader<R> {
    file: R,
    contents: BTreeMap<String, Entry>,
}

/// Where a tensor lies and what it is.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Rows first.
    pub(super) shape: Vec<usize>,
    kind: Kind,
    offset: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Float,
    Byte,
    Short,
    Int,
    Half,
}

impl<R: Read + Seek> Reader<R> {
    /// Reads the table of contents.
    pub(super) fn open(mut file: R) -> io::Result<Self> {
        let size = file.seek(SeekFrom::End(0))?;
        file.rewind()?;
        let version = u32(&mut file)?;
        if version != 6 {
            return Err(invalid(format!("binary version {version}, expected 6")));
        }
        let spec = name(&mut file)?;
        if spec != "WhisperSpec" {
            return Err(invalid(format!("a {spec}, expected a WhisperSpec")));
        }
        let _revision = u32(&mut file)?;
        let count = u32(&mut file)?;
        let mut contents = BTreeMap::new();
        for _ in 0..count {
            let (name, entry) = Self::entry(&mut file, size)?;
            contents.insert(name, entry);
        }
        Ok(Self { file, contents })
    }

    fn entry(file: &mut R, size: u64) -> io::Result<(String, Entry)> {
        let name = name(file)?;
        let rank = u8(file)?;
        let shape = (0..rank).map(|_| Ok(u32(file)? as usize)).collect::<io::Result<Vec<_>>>()?;
        let kind = Kind::of(u8(file)?)?;
        let bytes = u64::from(u32(file)?);
        let elements = shape.iter().try_fold(1_u64, |product, side| product.checked_mul(*side as u64));
        let offset = file.stream_position()?;
        if elements.and_then(|elements| elements.checked_mul(kind.size())) != Some(bytes) || offset + bytes > size {
            return Err(invalid(format!("the size of {name} contradicts its shape or the file")));
        }
        file.seek_relative(bytes as i64)?;
        Ok((name, Entry { shape, kind, offset }))
    }

    /// What is known of a tensor.
    pub(super) fn entry_of(&self, name: &str) -> io::Result<&Entry> {
        self.contents.get(name).ok_or_else(|| invalid(format!("no tensor {name}")))
    }

    /// Names of all tensors, in order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.contents.keys().map(String::as_str)
    }

    /// A scalar such as the number of attention heads.
    pub(super) fn scalar(&mut self, name: &str) -> io::Result<f32> {
        let values = self.read(name)?;
        values.first().copied().ok_or_else(|| invalid(format!("{name} is empty")))
    }

    /// All values of a tensor, row after row.
    pub(super) fn read(&mut self, name: &str) -> io::Result<Vec<f32>> {
        let Entry { shape, kind, offset } = self.entry_of(name)?.clone();
        let elements: usize = shape.iter().product();
        let mut bytes = vec![0; elements * kind.size() as usize];
        self.file.seek(SeekFrom::Start(offset))?;
        self.file.read_exact(&mut bytes)?;
        Ok(kind.values(&bytes))
    }
}

impl Kind {
    fn of(code: u8) -> io::Result<Self> {
        match code {
            0 => Ok(Self::Float),
            1 => Ok(Self::Byte),
            2 => Ok(Self::Short),
            3 => Ok(Self::Int),
            4 => Ok(Self::Half),
            _ => Err(invalid(format!("element type {code}"))),
        }
    }

    fn size(self) -> u64 {
        match self {
            Self::Byte => 1,
            Self::Short | Self::Half => 2,
            Self::Float | Self::Int => 4,
        }
    }

    fn values(self, bytes: &[u8]) -> Vec<f32> {
        let pairs = bytes.as_chunks::<2>().0.iter();
        let fours = bytes.as_chunks::<4>().0.iter();
        match self {
            Self::Byte => bytes.iter().map(|byte| f32::from(byte.cast_signed())).collect(),
            Self::Short => pairs.map(|pair| f32::from(i16::from_le_bytes(*pair))).collect(),
            Self::Half => pairs.map(|pair| f16::from_le_bytes(*pair).to_f32()).collect(),
            Self::Int => fours.map(|four| i32::from_le_bytes(*four) as f32).collect(),
            Self::Float => fours.map(|four| f32::from_le_bytes(*four)).collect(),
        }
    }
}

/// A name: its length with the closing zero, then the bytes.
fn name(file: &mut impl Read) -> io::Result<String> {
    let mut bytes = vec![0; usize::from(u16::from_le_bytes(take(file)?))];
    file.read_exact(&mut bytes)?;
    bytes.pop();
    String::from_utf8(bytes).map_err(|_| invalid("a name that is not text"))
}

fn u8(file: &mut impl Read) -> io::Result<u8> {
    take::<1>(file).map(|[byte]| byte)
}

fn u32(file: &mut impl Read) -> io::Result<u32> {
    take(file).map(u32::from_le_bytes)
}

fn take<const N: usize>(file: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

pub(super) fn invalid(detail: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, detail.into())
}
