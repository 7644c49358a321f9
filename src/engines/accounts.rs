//! Whose an engine is, by its name: ours, a vendor's, or a server's.

use std::collections::BTreeMap;

use super::{
    account::Account,
    vendors::{COMPATIBLE, VENDORS, Vendor},
};

/// All accounts.
#[derive(Clone, Copy, Debug)]
pub struct Accounts<'a> {
    /// With vendors, by section, in the order of [`VENDORS`].
    pub vendors: [&'a Account; VENDORS.len()],
    /// With servers of one's own, by the name before the slash of their engines.
    pub compatible: &'a BTreeMap<String, Account>,
}

/// An engine that somebody else runs.
#[derive(Clone, Copy, Debug)]
pub struct Foreign<'a> {
    /// The vendor.
    pub vendor: &'static Vendor,
    /// Before the slash of its name.
    pub owner: &'a str,
    /// The account with it.
    pub account: &'a Account,
    /// After the slash.
    pub model: &'a str,
}

impl<'a> Accounts<'a> {
    /// Who runs the engine of this name and task; `None` where nobody does, or we do.
    pub fn find(&self, engine: &'a str, task: &str) -> Option<Foreign<'a>> {
        let (owner, model) = engine.split_once('/').filter(|(_, model)| !model.is_empty())?;
        if let Some(account) = self.compatible.get(owner) {
            let foreign = Foreign { vendor: &COMPATIBLE, owner, account, model };
            return Some(foreign).filter(|foreign| foreign.vendor.tasks().contains(&task));
        }
        let mut able = self.rows().filter(|(vendor, _)| vendor.name == owner && vendor.tasks().contains(&task));
        able.next().map(|(vendor, account)| Foreign { vendor, owner, account, model })
    }

    /// Each vendor and the account with it.
    pub fn rows(&self) -> impl Iterator<Item = (&'static Vendor, &'a Account)> + use<'a> {
        VENDORS.iter().zip(self.vendors)
    }

    /// Why the engine of this name cannot be used for this task.
    pub fn refuses(&self, engine: &str, task: &str) -> Option<String> {
        if embedded(task).contains(&engine) {
            return None;
        }
        if (engine, task) == ("openai/chat", "llm") {
            return Some(MOVED.to_owned());
        }
        let Some(Foreign { vendor, owner, account, .. }) = self.find(engine, task) else {
            return Some(format!("`{engine}` is not known; allowed: {}", self.allowed(task).join(", ")));
        };
        let slot = vendor.lacking(account)?;
        let remedy = vendor.remedy(slot);
        let remedy = if vendor.section == COMPATIBLE.section {
            remedy.replacen(COMPATIBLE.section, &format!("{}.{owner}", COMPATIBLE.section), 1)
        } else {
            remedy
        };
        Some(format!("`{engine}` cannot be used without its account: {remedy}"))
    }

    /// What a chain of this task may name.
    pub fn allowed(&self, task: &str) -> Vec<String> {
        let ours = embedded(task).iter().filter(|name| !name.starts_with("scripted/")).map(|name| (*name).to_owned());
        let able = VENDORS.iter().filter(|vendor| vendor.tasks().contains(&task)).map(|vendor| vendor.name);
        let servers = self.compatible.keys().map(String::as_str);
        let servers = servers.filter(|_| COMPATIBLE.tasks().contains(&task));
        let auto = (task != "realtime").then(|| "auto".to_owned());
        auto.into_iter().chain(ours).chain(able.chain(servers).map(|name| format!("{name}/MODEL"))).collect()
    }

    /// Whether engines may be named after this: `deepgram` of `deepgram/nova-3`.
    pub fn knows(&self, owner: &str) -> bool {
        owner == "local" || self.compatible.contains_key(owner) || VENDORS.iter().any(|vendor| vendor.name == owner)
    }
}

/// The engines that run in this process, by task.
pub fn embedded(task: &str) -> &'static [&'static str] {
    match task {
        "stt" => &["local/whisper-base", "local/whisper-tiny.en", "scripted/stt"],
        "llm" => &["local/agent", "scripted/llm"],
        "embed" => &[super::auto::MINILM, "scripted/embed"],
        "tts" => &["local/hibari", "local/flite", "local/espeak", "scripted/tts"],
        _ => &[],
    }
}

const MOVED: &str = "`openai/chat` is gone: [openai] is OpenAI itself, a server of your own is [compatible.NAME] and its \
                     models are NAME/MODEL, as in `ollama/llama3.2`";
