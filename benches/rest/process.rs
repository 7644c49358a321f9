//! Processes under measurement, and what they take.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::BARE;

/// A server in a process of its own; it ends when this is dropped.
pub(crate) struct Server {
    process: Child,
    /// `127.0.0.1:PORT`.
    pub(crate) address: String,
}

/// The relay beside this executable, without limits on how often one asks, and with engines that take no time.
pub(crate) fn relay(database: &str, folder: &Path, key: &str) -> Server {
    let config = folder.join("config.toml");
    let engines = "stt = [\"scripted/stt\"]\nllm = [\"scripted/llm\"]\ntts = [\"scripted/tts\"]\nturn = \"\"\n";
    let limits = "sessions = 1000\nsessions_per_principal = 1000\nbackchannel_ms = 160\n";
    let text = format!("[server]\nrequests_per_second = 0\n[realtime]\n{limits}[providers]\n{engines}");
    fs::write(&config, text).unwrap();
    let mut command = Command::new(binary());
    command.args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(&config).arg("--data-dir").arg(folder);
    command.env("VOICE_RELAY_ADMIN_KEY", key).env("VOICE_RELAY_DATABASE_URL", database);
    start(command, " serves on http://")
}

/// The reference.
pub(crate) fn bare(database: &str, folder: &Path) -> Server {
    let file = format!("sqlite://{}", folder.join("relay.db").display());
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env(BARE, if database.is_empty() { &file } else { database }).current_dir(folder);
    start(command, "serves on ")
}

/// The release binary: `target/release/voice-relay`, where this is `target/release/deps/rest-…`.
pub(crate) fn binary() -> std::path::PathBuf {
    let path = std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().join("voice-relay");
    assert!(path.exists(), "{} is missing: `cargo build --release --locked --bin voice-relay`", path.display());
    path
}

fn start(mut command: Command, before: &str) -> Server {
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let address = lines.find_map(|line| Some(line.unwrap().split_once(before)?.1.trim().to_owned())).unwrap();
    // Nobody reads the rest, but a full pipe would stop it.
    std::thread::spawn(move || lines.for_each(drop));
    Server { process, address }
}

impl Server {
    /// CPU time used so far, user and system.
    pub(crate) fn cpu(&self) -> Duration {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap();
        let fields: Vec<&str> = text.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 10)
    }

    /// Resident memory now, and the most of it since [`Self::forget_peak`], in MiB.
    pub(crate) fn memory(&self) -> (f64, f64) {
        let text = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let field = |name| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1024.0
        };
        (field("VmRSS:"), field("VmHWM:"))
    }

    /// Begins the most anew (proc_pid_clear_refs(5)).
    pub(crate) fn forget_peak(&self) {
        fs::write(format!("/proc/{}/clear_refs", self.process.id()), "5").unwrap();
    }

    /// Waits until it does nothing more of its own accord.
    pub(crate) async fn rest(&self) {
        loop {
            let before = self.cpu();
            tokio::time::sleep(Duration::from_secs(2)).await;
            if self.cpu() - before <= Duration::from_millis(60) {
                return;
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
