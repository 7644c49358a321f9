//! The relay under test: this build's binary, with data, port and environment of its own.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
};

use crate::{client::PATIENCE, vendors::Vendors};

/// A running relay. It ends when this is dropped.
pub(crate) struct Relay {
    child: Child,
    /// `http://127.0.0.1:…`
    pub(crate) url: String,
    log: Arc<Mutex<String>>,
    folder: TempDir,
}

/// Opens every relay of these tests.
pub(crate) const KEY: &str = "an-admin-key-of-tests";

impl Relay {
    /// A relay with these chains, `stt`, `llm` and `tts`, whose vendors are the stand-ins.
    pub(crate) async fn start(vendors: &Vendors, chains: [&[&str]; 3]) -> Self {
        Self::launch(&configuration(chains, "", &vendors.configuration()), &[]).await
    }

    /// A relay with this configuration, and these variables in its environment.
    pub(crate) async fn launch(config: &str, environment: &[(&str, &str)]) -> Self {
        Self::launch_under(":", config, environment).await
    }

    /// The same in a shell that did this before.
    pub(crate) async fn launch_under(before: &str, config: &str, environment: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), config).unwrap();
        let shell = format!("{before}; exec \"$0\" \"$@\"");
        let mut command = by(Command::new("sh"), folder.path(), environment, &["-c", &shell, BINARY]);
        command.arg("serve").args(["--listen", "127.0.0.1:0"]);
        let mut child = command.kill_on_drop(true).spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        keep(child.stderr.take().unwrap(), log.clone());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let served = async {
            loop {
                let line = lines.next_line().await.unwrap()?;
                if let Some((_, url)) = line.split_once(" serves on ") {
                    return Some(url.trim().to_owned());
                }
            }
        };
        let url = tokio::time::timeout(PATIENCE, served).await.expect("the relay does not serve in time");
        let Some(url) = url else { panic!("the relay does not start: {}", log.lock().unwrap()) };
        keep(lines.into_inner(), log.clone());
        Self { child, url, log, folder }
    }

    /// Has it read its accounts again, after its configuration was replaced by this one if there is one, and waits until
    /// the log tells of it so many times.
    pub(crate) async fn reload(&self, config: Option<&str>, told: &str, times: usize) {
        if let Some(config) = config {
            std::fs::write(self.folder.path().join(FILE), config).unwrap();
        }
        assert!(Command::new("kill").arg("-HUP").arg(self.id().to_string()).status().await.unwrap().success());
        eventually(told, Duration::from_secs(10), async || self.log().matches(told).count() == times).await;
    }

    /// What another command of the same binary prints, with this relay's configuration and data.
    pub(crate) async fn runs(&self, arguments: &[&str], environment: &[(&str, &str)]) -> String {
        let output = command(self.folder.path(), environment).args(arguments).output().await.unwrap();
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat()
    }

    /// Where its data are.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join(DATA)
    }

    /// Ends it as the system does when memory is short.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// What it logged.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// The sum of a metric's samples whose labels include all of `labels`.
    pub(crate) async fn metric(&self, name: &str, labels: &[&str]) -> f64 {
        let request = reqwest::Client::new().get(format!("{}/metrics", self.url)).bearer_auth(KEY);
        let text = request.send().await.unwrap().text().await.unwrap();
        let ours = text.lines().filter(|line| line.split(['{', ' ']).next() == Some(name));
        let ours = ours.filter(|line| labels.iter().all(|label| line.contains(label)));
        ours.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
    }

    /// Errors of one engine so far.
    pub(crate) async fn errors_of(&self, engine: &str) -> f64 {
        self.metric("voice_relay_provider_errors_total", &[&format!("provider=\"{engine}\"")]).await
    }

    /// What its own ear makes of PCM16 at 24 kHz.
    pub(crate) async fn transcribed(&self, sound: &[u8]) -> String {
        let samples = sound.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
        let wav = audio::wav::write(&audio::Clip::new(audio::SampleRate::HZ_24000, samples), audio::Encoding::Pcm16);
        let part = reqwest::multipart::Part::bytes(wav).file_name("sound.wav");
        let form = reqwest::multipart::Form::new().part("file", part).text("model", "whisper-1");
        let request = reqwest::Client::new().post(format!("{}/v1/audio/transcriptions", self.url)).bearer_auth(KEY);
        let answer = request.multipart(form).timeout(PATIENCE).send().await.unwrap().text().await.unwrap();
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        answer["text"].as_str().unwrap().to_owned()
    }

    /// Open file descriptors.
    pub(crate) fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.id())).map_or(0, Iterator::count)
    }

    /// Resident memory in MiB, where the system tells.
    pub(crate) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1_024
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id().expect("the relay ended")
    }
}

/// The configuration of a relay with these chains, `stt`, `llm` and `tts`. `more` is what else stands in `[providers]`,
/// `vendors` are their sections.
pub(crate) fn configuration([stt, llm, tts]: [&[&str]; 3], more: &str, vendors: &str) -> String {
    let models = models().map_or_else(String::new, |path| path.display().to_string());
    let chains = format!("stt = {stt:?}\nllm = {llm:?}\ntts = {tts:?}\nturn = \"\"\n{more}\n");
    format!("[providers]\n{chains}[models]\ndir = {models:?}\n[log]\nlevel = \"info\"\n{vendors}")
}

/// The binary, with the configuration and the data of this folder, and nothing of the environment's that is the relay's.
fn command(folder: &Path, environment: &[(&str, &str)]) -> Command {
    by(Command::new(BINARY), folder, environment, &[])
}

/// The same by another program, to which these arguments say so.
fn by(mut command: Command, folder: &Path, environment: &[(&str, &str)], arguments: &[&str]) -> Command {
    command.args(arguments);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("VOICE_RELAY")) {
        command.env_remove(name);
    }
    command.arg("--config").arg(folder.join(FILE)).arg("--data-dir").arg(folder.join(DATA));
    command.env("VOICE_RELAY_ADMIN_KEY", KEY).env("NO_COLOR", "1").envs(environment.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

const BINARY: &str = env!("CARGO_BIN_EXE_voice-relay");
const FILE: &str = "config.toml";
const DATA: &str = "data";

/// Where the embedded engines' models are, if they are anywhere.
pub(crate) fn models() -> Option<PathBuf> {
    let data = || {
        let home = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from);
        let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/share")))?;
        Some(home.join("voice-relay/models"))
    };
    let path = std::env::var_os("VOICE_RELAY_MODELS").map(PathBuf::from).or_else(data)?;
    path.join("whisper-base.ggml").exists().then(|| path.canonicalize().unwrap())
}

/// Whether a story can be told; says so if not.
pub(crate) fn can_embed() -> bool {
    let can = models().is_some();
    if !can {
        eprintln!("\n!!! SKIPPED: no models; install them or set VOICE_RELAY_MODELS !!!\n");
    }
    can
}

fn keep(output: impl AsyncRead + Send + Unpin + 'static, log: Arc<Mutex<String>>) {
    tokio::spawn(async move {
        let mut lines = BufReader::new(output).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let mut log = log.lock().unwrap();
            log.push_str(&line);
            log.push('\n');
        }
    });
}

/// Waits until this holds.
pub(crate) async fn eventually(what: &str, patience: Duration, mut holds: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(patience, async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    assert!(waited.await.is_ok(), "{what}");
}
