//! Puts the page that `scripts/web` built into the binary. Without it the relay serves as well, and says how to build it.

use std::{
    env,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?).join("web/dist");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut table = String::from("&[\n");
    if root.join("index.html").is_file() {
        let mut files = Vec::new();
        collect(&root, &mut files)?;
        files.sort();
        for file in files.iter().filter(|file| file.extension().is_none_or(|end| end != "gz")) {
            let squeezed = PathBuf::from(format!("{}.gz", file.display()));
            let gzip =
                if squeezed.is_file() { format!("Some(include_bytes!({squeezed:?}))") } else { "None".to_owned() };
            let path = file.strip_prefix(&root).map_err(io::Error::other)?.to_string_lossy().replace('\\', "/");
            writeln!(table, "File {{ path: {path:?}, plain: include_bytes!({file:?}), gzip: {gzip} }},")
                .map_err(io::Error::other)?;
        }
    }
    table.push(']');
    let out = PathBuf::from(env::var("OUT_DIR").map_err(io::Error::other)?);
    fs::write(out.join("page.rs"), table)
}

/// Every file under `folder` that a browser may ask for.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        match path.is_dir() {
            true => collect(&path, files)?,
            false if !hidden => files.push(path),
            false => {}
        }
    }
    Ok(())
}
