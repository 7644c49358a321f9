//! Where glyphs come from: two fonts in the binary, those the operator names, those the system has.
//!
//! The system's are looked for once, when a character first is in none of the others; a file is read for good when a
//! character of it is needed.

use std::{
    fs,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use rustybuzz::ttf_parser::{self, Face};
use serde::{Deserialize, Serialize};

/// How exports look.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Font files (TTF, OTF, TTC) for PDF, asked in order before the system's for what the built-in fonts lack.
    pub fonts: Vec<PathBuf>,
}

impl Config {
    /// What is wrong with it, by key.
    pub fn validate(&self) -> Vec<(&'static str, String)> {
        let wrong = self.fonts.iter().filter(|path| listed(path).is_empty());
        wrong.map(|path| ("fonts", format!("`{}` is not a font file that can be read", path.display()))).collect()
    }
}

/// The fonts of all exports.
#[derive(Debug)]
pub struct Fonts {
    given: Vec<Listed>,
    folders: Vec<PathBuf>,
    system: OnceLock<Vec<Listed>>,
}

impl Fonts {
    /// The operator's, and those in the folders systems keep fonts in.
    pub fn new(config: &Config) -> Self {
        let home = dirs().map(|home| [home.join(".local/share/fonts"), home.join(".fonts")]);
        let folders = FOLDERS.iter().map(PathBuf::from).chain(home.into_iter().flatten()).collect();
        let given = config.fonts.iter().flat_map(|path| listed(path)).collect();
        Self { given, folders, system: OnceLock::new() }
    }

    /// Fonts that may have `c`, best first.
    pub(super) fn having(&self, c: char) -> impl Iterator<Item = &Listed> {
        let system = self.system.get_or_init(|| {
            let mut files = Vec::new();
            self.folders.iter().for_each(|folder| gather(folder, DEPTH, &mut files));
            files.sort();
            let mut fonts: Vec<_> = files.iter().flat_map(|path| listed(path)).collect();
            fonts.sort_by_key(|font| !font.regular);
            fonts
        });
        self.given.iter().chain(system).filter(move |font| font.covers(c))
    }
}

impl Default for Fonts {
    fn default() -> Self {
        Self::new(&Config::default())
    }
}

/// A font in a file.
#[derive(Debug)]
pub(super) struct Listed {
    path: PathBuf,
    /// In a collection.
    pub(super) index: u32,
    regular: bool,
    /// Sorted and apart.
    coverage: Vec<RangeInclusive<u32>>,
    data: OnceLock<Option<Arc<Vec<u8>>>>,
}

impl Listed {
    fn covers(&self, c: char) -> bool {
        let c = u32::from(c);
        let after = self.coverage.partition_point(|range| *range.start() <= c);
        after.checked_sub(1).is_some_and(|at| self.coverage[at].contains(&c))
    }

    /// Its bytes, unless the file is gone.
    pub(super) fn data(&self) -> Option<&Arc<Vec<u8>>> {
        self.data.get_or_init(|| fs::read(&self.path).ok().map(Arc::new)).as_ref()
    }
}

/// The fonts of a file that have outlines; none if it is no font.
fn listed(path: &Path) -> Vec<Listed> {
    let fits = fs::metadata(path).is_ok_and(|about| about.is_file() && about.len() <= LARGEST);
    let Some(data) = fits.then(|| fs::read(path).ok()).flatten() else { return Vec::new() };
    let count = ttf_parser::fonts_in_collection(&data).unwrap_or(1);
    let font = |index| {
        let face = Face::parse(&data, index).ok()?;
        let tables = face.tables();
        let outlines = tables.glyf.is_some() || tables.cff.is_some() || tables.cff2.is_some();
        let regular = face.is_regular() && !face.is_italic();
        let coverage = coverage(&face);
        outlines.then(|| Listed { path: path.to_owned(), index, regular, coverage, data: OnceLock::new() })
    };
    (0..count).filter_map(font).collect()
}

fn coverage(face: &Face<'_>) -> Vec<RangeInclusive<u32>> {
    let mut all = Vec::new();
    let subtables = face.tables().cmap.iter().flat_map(|cmap| cmap.subtables);
    subtables.filter(|table| table.is_unicode()).for_each(|table| table.codepoints(|c| all.push(c)));
    all.sort_unstable();
    all.dedup();
    let mut ranges: Vec<RangeInclusive<u32>> = Vec::new();
    for c in all {
        match ranges.last_mut() {
            Some(last) if *last.end() + 1 == c => *last = *last.start()..=c,
            Some(_) | None => ranges.push(c..=c),
        }
    }
    ranges
}

/// Font files in a folder and those in it.
fn gather(folder: &Path, depth: u32, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let extension = path.extension().map(|extension| extension.to_ascii_lowercase());
        if depth > 0 && path.is_dir() {
            gather(&path, depth - 1, files);
        } else if files.len() < MOST
            && extension.is_some_and(|it| ["ttf", "otf", "ttc", "otc"].iter().any(|e| it == *e))
        {
            files.push(path);
        }
    }
}

fn dirs() -> Option<PathBuf> {
    std::env::home_dir().filter(|home| home.is_absolute())
}

/// Where systems keep fonts.
const FOLDERS: [&str; 4] = ["/usr/share/fonts", "/usr/local/share/fonts", "/System/Library/Fonts", "/Library/Fonts"];
/// Folders in folders.
const DEPTH: u32 = 6;
/// Files looked at.
const MOST: usize = 2_000;
/// Bytes of a file; the collections of all CJK weights have 20 MB.
const LARGEST: u64 = 64 << 20;
