//! A server in a process of its own: a message a line, in on its standard input, out on its standard output.
//!
//! One request at a time. Whoever is dropped in the middle of writing leaves a line half written: the process is begun anew then.

use std::process::Stdio;

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child as Process, ChildStdin, ChildStdout, Command},
    sync::Mutex,
};

use super::{
    LARGEST,
    wire::{self, Fault},
};

/// A program that is started when it is first needed, and anew when it is gone.
pub(super) struct Child {
    command: Vec<String>,
    variables: Vec<String>,
    running: Mutex<Option<Running>>,
}

struct Running {
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// What was read of a line that has not ended.
    line: Vec<u8>,
    /// Whether every line that was begun was written to its end.
    whole: bool,
    /// Killed when it is dropped.
    _process: Process,
}

impl Child {
    /// A program and its arguments, with these variables of ours and no others but `PATH`.
    pub(super) fn new(command: &str, arguments: &[String], variables: &[String]) -> Self {
        let command = std::iter::once(command.to_owned()).chain(arguments.iter().cloned()).collect();
        Self { command, variables: variables.to_vec(), running: Mutex::default() }
    }

    /// Ends the process: the next request begins another.
    pub(super) async fn forget(&self) {
        *self.running.lock().await = None;
    }

    /// Sends a message, and waits for the answer to request `id`, if it is one.
    pub(super) async fn send(&self, message: &Value, id: Option<u64>) -> Result<Value, Fault> {
        let mut place = self.running.lock().await;
        let running = match place.take() {
            Some(running) if running.whole => place.insert(running),
            Some(_) | None => place.insert(self.start()?),
        };
        let answered = running.send(message, id).await;
        if matches!(answered, Err(Fault::Lost(_) | Fault::Unreached(_))) {
            *place = None;
        }
        answered
    }

    fn start(&self) -> Result<Running, Fault> {
        let [program, arguments @ ..] = &self.command[..] else {
            return Err(Fault::Unreached("no program".to_owned()));
        };
        let mut command = Command::new(program);
        let names = self.variables.iter().map(String::as_str).chain(["PATH"]);
        let variables = names.filter_map(|name| Some((name, std::env::var_os(name)?)));
        command.args(arguments).env_clear().envs(variables);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let unreached = |error: std::io::Error| Fault::Unreached(error.to_string());
        let mut process = command.spawn().map_err(unreached)?;
        match (process.stdin.take(), process.stdout.take()) {
            (Some(input), Some(output)) => {
                let output = BufReader::new(output);
                Ok(Running { input, output, line: Vec::new(), whole: true, _process: process })
            }
            _ => Err(Fault::Unreached("it has no pipes".to_owned())),
        }
    }
}

impl Running {
    async fn send(&mut self, message: &Value, id: Option<u64>) -> Result<Value, Fault> {
        let gone = || Fault::Lost("the program has ended".to_owned());
        self.whole = false;
        self.input.write_all(format!("{message}\n").as_bytes()).await.map_err(|_| gone())?;
        self.input.flush().await.map_err(|_| gone())?;
        self.whole = true;
        let Some(id) = id else { return Ok(Value::Null) };
        loop {
            let room = LARGEST.saturating_sub(self.line.len()) as u64;
            let read = (&mut self.output).take(room).read_until(b'\n', &mut self.line).await;
            if read.map_err(|_| gone())? == 0 {
                return Err(if room == 0 { Fault::Lost("its answer is too large".to_owned()) } else { gone() });
            }
            if self.line.ends_with(b"\n") {
                let line = std::mem::take(&mut self.line);
                if let Some(answer) = wire::answer(&String::from_utf8_lossy(&line), id) {
                    return answer;
                }
            }
        }
    }
}
