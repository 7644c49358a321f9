//! Programs of the system that read what no library of ours does: bounded in time and output, and fed by a pipe or a path.
//!
//! They inherit the limits of this process and its process group, so they end with it.

use std::{
    env,
    ffi::OsStr,
    io::{Read, Write},
    path::Path,
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use super::Limits;

/// How a program ended.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Well, with this output, which may be cut.
    Done(Vec<u8>),
    /// Not in time.
    TooLong,
    /// In some other way.
    Failed,
}

/// Whether a folder of `PATH` holds a program of this name.
pub(super) fn is_installed(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.is_absolute() && folder.join(program).is_file())
}

/// Runs `program` with `input` and takes its output, a little more than the text that is kept.
pub(super) fn run(program: &str, arguments: &[&OsStr], input: Vec<u8>, limits: &Limits) -> Outcome {
    let mut command = Command::new(program);
    command.args(arguments).env_clear().env("PATH", env::var_os("PATH").unwrap_or_default());
    // One core an image: tesseract takes all there are, and a server has other things to do. Output in UTF-8.
    command.env("OMP_THREAD_LIMIT", "1").env("LC_ALL", "C.UTF-8");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).current_dir(Path::new("/"));
    let Ok(mut child) = command.spawn() else { return Outcome::Failed };
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else { return Outcome::Failed };
    // A program that ends without reading all closes the pipe; its exit code says whether that was well.
    let feed = thread::spawn(move || drop(stdin.write_all(&input)));
    let (done, output) = mpsc::sync_channel(1);
    let most = limits.text_bytes as u64 + 4096;
    let hear = thread::spawn(move || {
        let mut output = Vec::new();
        let read = stdout.take(most).read_to_end(&mut output);
        drop(done.send(read.map(|_| output)));
    });
    let heard = output.recv_timeout(Duration::from_secs(u64::from(limits.seconds)) * 3 / 4);
    let cut = matches!(&heard, Ok(Ok(output)) if output.len() as u64 == most);
    if cut || heard.is_err() {
        drop(child.kill());
    }
    let status = child.wait();
    drop((feed.join(), hear.join()));
    match (heard, status) {
        (Ok(Ok(output)), Ok(status)) if status.success() || cut => Outcome::Done(output),
        (Err(_), _) => Outcome::TooLong,
        (Ok(_), _) => Outcome::Failed,
    }
}
