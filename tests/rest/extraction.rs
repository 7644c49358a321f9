//! Files are read by a process of their own: what harms it is told in words and harms nothing else.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;
use voice_relay::documents::{
    extract::{Extracted, Failed, Limits, sandbox::Sandbox},
    kind::Kind,
};

/// A folder with a file in it.
struct Desk {
    folder: TempDir,
    file: PathBuf,
}

impl Desk {
    fn with(content: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("-file with ünusual name");
        fs::write(&file, content).unwrap();
        Self { folder, file }
    }

    async fn read(&self, kind: Kind, limits: Limits) -> Result<Extracted, Failed> {
        Sandbox::with_program(env!("CARGO_BIN_EXE_voice-relay").into(), limits).extract(&self.file, kind).await
    }

    /// Reads with a reader that does this in the shell.
    async fn read_by(&self, script: &str, limits: Limits) -> Result<Extracted, Failed> {
        Sandbox::with_program(self.program(script), limits).extract(&self.file, Kind::Txt).await
    }

    fn program(&self, script: &str) -> PathBuf {
        let program = self.folder.path().join("reader");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        program
    }
}

#[tokio::test]
async fn a_file_is_read_by_another_process() {
    let read = Desk::with("naïve \"text\"\n\twith\\all".as_bytes()).read(Kind::Txt, Limits::default()).await.unwrap();
    assert_eq!(read.text, "naïve \"text\"\n\twith\\all");
    assert_eq!(read.metadata.word_count, Some(3));
}

#[cfg(target_os = "linux")]
#[test]
fn reading_lets_calls_go_first() {
    let desk = Desk::with(b"");
    // A pipe without a writer keeps who opens it.
    let pipe = desk.folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let limits = serde_json::to_string(&Limits::default()).unwrap();
    let mut reader = Command::new(env!("CARGO_BIN_EXE_voice-relay"));
    let mut reader = reader.args(["extract-file", "txt", &limits]).arg(&pipe).stdout(Stdio::null()).spawn().unwrap();
    // proc_pid_stat(5): the 19th field, 17 after the name in brackets.
    let nice = |process: &str| {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
        stat.rsplit(") ").next().unwrap().split(' ').nth(16).unwrap().parse::<i32>().unwrap()
    };
    let (own, its) = (nice("self"), reader.id().to_string());
    let mut found = nice(&its);
    for _ in 0..2_000 {
        if found > own {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
        found = nice(&its);
    }
    reader.kill().unwrap();
    reader.wait().unwrap();
    assert!(found > own, "{found} is no more than {own}");
}

#[tokio::test]
async fn text_that_fills_the_limit_comes_over_whole() {
    let desk = Desk::with("\"\n".repeat(3 << 20).as_bytes());
    let read = desk.read(Kind::Csv, Limits::default()).await.unwrap();
    assert_eq!(read.text.len(), (4 << 20) - 1);
    assert_eq!(read.warnings, ["Only the first 4 MiB of text were kept."]);
}

#[tokio::test]
async fn a_damaged_file_is_told_as_such() {
    let refused = Desk::with(b"%PDF-1.7 and nothing").read(Kind::Pdf, Limits::default()).await;
    assert!(matches!(refused, Err(Failed::Damaged(_))), "{refused:?}");
}

#[tokio::test]
async fn a_file_that_needs_more_memory_than_allowed_is_told_as_such() {
    let limits = Limits { memory_bytes: 24 << 20, text_bytes: 64 << 20, ..Limits::default() };
    let desk = Desk::with("word ".repeat(12 << 20).as_bytes());
    assert_eq!(desk.read(Kind::Txt, limits).await, Err(Failed::TooMuchMemory));
}

#[tokio::test]
async fn a_file_that_recurses_without_end_takes_its_reader_down_alone() {
    // The parent of the page is the page: what it inherits is looked for without end.
    let file = "%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n\
                2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n\
                3 0 obj\n<</Type/Page/Parent 3 0 R>>\nendobj\ntrailer\n<</Size 4/Root 1 0 R>>\n";
    let table = format!(
        "xref\n0 4\n0000000000 65535 f \n{:010} 00000 n \n{:010} 00000 n \n{:010} 00000 n \n",
        file.find("1 0 obj").unwrap(),
        file.find("2 0 obj").unwrap(),
        file.find("3 0 obj").unwrap(),
    );
    let start = file.find("trailer").unwrap();
    let file = format!("{}startxref\n{start}\n%%EOF\n", file.replace("trailer", &format!("{table}trailer")));
    let refused = Desk::with(file.as_bytes()).read(Kind::Pdf, Limits::default()).await;
    assert_eq!(refused, Err(Failed::Crashed));
}

#[tokio::test]
async fn a_reader_that_does_not_end_is_ended_with_what_it_started() {
    let desk = Desk::with(b"");
    let mark = desk.folder.path().join("mark");
    let script = format!("sleep 600 & echo $! > {}; wait", mark.display());
    let limits = Limits { seconds: 1, ..Limits::default() };
    assert_eq!(desk.read_by(&script, limits).await, Err(Failed::TooLong(1)));
    ended(&mark).await;
}

#[tokio::test]
async fn a_reader_nobody_waits_for_is_ended() {
    let desk = Desk::with(b"");
    let mark = desk.folder.path().join("mark");
    let script = format!("sleep 600 & echo $! > {}; wait", mark.display());
    let sandbox = Sandbox::with_program(desk.program(&script), Limits::default());
    tokio::select! {
        ended = sandbox.extract(&desk.file, Kind::Txt) => panic!("{ended:?}"),
        () = written(&mark) => {}
    }
    ended(&mark).await;
}

#[tokio::test]
async fn however_a_reader_dies_it_is_told_in_words() {
    let desk = Desk::with(b"");
    let limits = Limits { seconds: 10, ..Limits::default() };
    for (script, told) in [
        ("kill -SEGV $$", Failed::Crashed),
        ("kill -ABRT $$", Failed::Crashed),
        ("kill -KILL $$", Failed::TooMuchMemory),
        ("kill -XCPU $$", Failed::TooLong(10)),
        ("echo 'memory allocation of 9 bytes failed' >&2; kill -ABRT $$", Failed::TooMuchMemory),
        ("echo '{\"extracted\":'; exit 101", Failed::Crashed),
        ("yes | head -c 40000000; yes no | head -c 9000000 >&2; exit 1", Failed::Crashed),
    ] {
        assert_eq!(desk.read_by(script, limits).await, Err(told), "{script}");
    }
    assert!(desk.read_by("exit 0", limits).await.unwrap_err().may_pass());
    let nobody = Sandbox::with_program("/nonexistent/program".into(), limits);
    assert!(nobody.extract(&desk.file, Kind::Txt).await.unwrap_err().may_pass());
}

#[tokio::test]
async fn a_reader_knows_nothing_of_the_servers_environment() {
    let desk = Desk::with(b"");
    let mark = desk.folder.path().join("mark");
    drop(desk.read_by(&format!("env > {}", mark.display()), Limits::default()).await);
    let known = fs::read_to_string(&mark).unwrap();
    let names: Vec<_> = known.lines().filter_map(|line| line.split('=').next()).collect();
    let own = ["PATH", "MIMALLOC_ARENA_RESERVE", "PWD", "SHLVL", "_", "OLDPWD"];
    assert!(names.iter().all(|name| own.contains(name)), "{names:?}");
}

/// Waits until the process whose number is in `mark` is gone, or only waits to be reaped.
async fn ended(mark: &Path) {
    let number = fs::read_to_string(mark).unwrap();
    let status = format!("/proc/{}/stat", number.trim());
    until(|| fs::read_to_string(&status).map_or(true, |stat| stat.contains(") Z "))).await;
}

async fn written(mark: &Path) {
    until(|| fs::read_to_string(mark).is_ok_and(|text| text.ends_with('\n'))).await;
}

async fn until(happened: impl Fn() -> bool) {
    let watch = async {
        while !happened() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), watch).await.expect("in time");
}
