//! A zip archive that may lie about its size.
//!
//! What is declared is not believed: bytes are counted as they are unpacked, over all parts together.

use std::{
    cell::Cell,
    fs::File,
    io::{self, BufReader, Read},
    path::Path,
    rc::Rc,
};

use zip::{ZipArchive, read::ZipFile, result::ZipError};

use super::{
    Failed, Limits,
    prose::size,
    xml::{Depth, Xml},
};
use crate::documents::layout;

/// An open archive and what it may still unpack.
pub(super) struct Archive {
    zip: ZipArchive<BufReader<File>>,
    budget: Budget,
    depth: Depth,
}

/// A part that is unpacked while it is read.
pub(super) type Part<'a> = Metered<ZipFile<'a, BufReader<File>>>;

impl Archive {
    pub(super) fn open(path: &Path, limits: &Limits) -> Result<Self, Failed> {
        let mut file = File::open(path)?;
        // Before the library makes a list of them.
        if layout::zip_entries(&mut file)?.is_some_and(|entries| entries > limits.entries) {
            return Err(Failed::TooLarge(format!("its archive has more than {} entries", limits.entries)));
        }
        let zip = ZipArchive::new(BufReader::new(file)).map_err(broken)?;
        if zip.len() as u64 > limits.entries {
            return Err(Failed::TooLarge(format!("its archive has more than {} entries", limits.entries)));
        }
        let budget = Budget { total: limits.expanded_bytes, left: Rc::new(Cell::new(limits.expanded_bytes)) };
        Ok(Self { zip, budget, depth: Depth(limits.depth) })
    }

    /// The part of this name, if there is one.
    pub(super) fn part(&mut self, name: &str) -> Result<Option<Part<'_>>, Failed> {
        match self.zip.by_name(name) {
            Ok(part) => Ok(Some(Metered { inner: part, budget: self.budget.clone() })),
            Err(ZipError::FileNotFound) => Ok(None),
            Err(error) => Err(broken(error)),
        }
    }

    /// The part of this name as XML, if there is one.
    pub(super) fn xml(&mut self, name: &str) -> Result<Option<Xml<Part<'_>>>, Failed> {
        let depth = self.depth;
        Ok(self.part(name)?.map(|part| Xml::new(part, depth)))
    }

    /// The first of these parts that is there, as XML.
    ///
    /// # Errors
    /// [`Failed::Damaged`] if none is: a document without its main part.
    pub(super) fn main(&mut self, names: &[&str]) -> Result<Xml<Part<'_>>, Failed> {
        let name = names.iter().find(|name| self.zip.index_for_name(name).is_some());
        let missing = || Failed::Damaged(format!("it has no {}", names.join(" or ")));
        self.xml(name.ok_or_else(missing)?)?.ok_or_else(missing)
    }

    /// Unpacks everything to nowhere: for readers that do not count themselves.
    pub(super) fn measure(mut self) -> Result<(), Failed> {
        for index in 0..self.zip.len() {
            let part = self.zip.by_index(index).map_err(broken)?;
            io::copy(&mut Metered { inner: part, budget: self.budget.clone() }, &mut io::sink())?;
        }
        Ok(())
    }
}

fn broken(error: ZipError) -> Failed {
    if matches!(error, ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED)) {
        return Failed::Protected;
    }
    let ZipError::Io(error) = error else { return Failed::damaged(error) };
    error.into()
}

/// Bytes that may still be unpacked, shared by all parts.
#[derive(Clone)]
struct Budget {
    total: u64,
    left: Rc<Cell<u64>>,
}

/// Counts what is read against the budget and fails past it.
pub(super) struct Metered<R> {
    inner: R,
    budget: Budget,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        match self.budget.left.get().checked_sub(read as u64) {
            Some(left) => self.budget.left.set(left),
            None => {
                let limit = size(self.budget.total);
                return Err(io::Error::other(Failed::TooLarge(format!("it unpacks to more than {limit}"))));
            }
        }
        Ok(read)
    }
}
