//! What `auto` means, and what a name without its vendor means: two tables.

use std::path::Path;

use super::{accounts::Accounts, chains::Config};

/// The vendors that `auto` means, the preferred first, each with its model. Those without a key are left out.
///
/// To listen, whoever tells words while they are spoken goes first; to think, whoever begins soonest at a good answer; to
/// speak, whoever tells the times of words, then whoever begins soonest.
const AUTO: [(&str, &[(&str, &str)]); 3] = [
    (
        "stt",
        &[
            ("deepgram", "nova-3"),
            ("elevenlabs", "scribe_v2_realtime"),
            ("openai", "gpt-live-transcribe"),
            ("azure_speech", "speech"),
            ("google", "chirp_3"),
        ],
    ),
    (
        "llm",
        &[
            ("openai", "gpt-4.1-mini"),
            ("anthropic", "claude-haiku-4-5"),
            ("gemini", "gemini-flash-latest"),
            ("deepseek", "deepseek-flash"),
            // The models of Azure OpenAI are deployments under names of one's own.
            ("azure_openai", ""),
        ],
    ),
    (
        "tts",
        &[
            ("elevenlabs", "eleven_flash_v2_5"),
            ("deepgram", "aura-2"),
            ("openai", "gpt-4o-mini-tts"),
            ("azure_speech", "speech"),
            ("google", "chirp3-hd"),
        ],
    ),
];

/// What stands at the end of `auto`: the engines that need nobody.
const EMBEDDED: [(&str, &[&str]); 3] = [
    ("stt", &["local/whisper-base"]),
    ("llm", &["local/agent"]),
    ("tts", &["local/hibari", "local/flite", "local/espeak"]),
];

/// Beginnings of models' names, and whose such models are.
const FAMILIES: [(&str, &str); 24] = [
    ("nova-", "deepgram"),
    ("flux-", "deepgram"),
    ("aura-", "deepgram"),
    ("scribe_", "elevenlabs"),
    ("eleven_", "elevenlabs"),
    ("claude-", "anthropic"),
    ("gemini-", "gemini"),
    ("deepseek-", "deepseek"),
    ("chirp", "google"),
    ("gpt-", "openai"),
    ("chatgpt-", "openai"),
    ("o1", "openai"),
    ("o3", "openai"),
    ("o4", "openai"),
    ("tts-1", "openai"),
    ("whisper-1", "openai"),
    ("text-embedding-", "openai"),
    ("whisper-base", "local"),
    ("whisper-tiny.en", "local"),
    ("agent", "local"),
    ("hibari", "local"),
    ("flite", "local"),
    ("espeak", "local"),
    ("minilm", "local"),
];

/// The name with its vendor.
pub(super) fn whole(name: &str) -> String {
    let family = FAMILIES.iter().find(|(begin, _)| name.starts_with(begin)).filter(|_| !name.contains('/'));
    family.map_or_else(|| name.to_owned(), |(_, vendor)| format!("{vendor}/{name}"))
}

/// What is there to be meant.
pub(crate) struct Surroundings<'a> {
    /// Whose keys are there.
    pub(crate) accounts: Accounts<'a>,
    /// Where the embedded engines' models are.
    pub(crate) models: &'a Path,
}

impl Surroundings<'_> {
    /// The chain with `auto` replaced by what it means and every name whole, each engine once.
    pub(super) fn chain(&self, task: &'static str, chain: &[String], missing: &mut Vec<String>) -> Vec<String> {
        let mut engines: Vec<String> = Vec::new();
        for name in chain {
            let meant = if name == AUTO_NAME { self.auto(task, missing) } else { vec![whole(name)] };
            for engine in meant {
                if !engines.contains(&engine) {
                    engines.push(engine);
                }
            }
        }
        engines
    }

    /// Servers of one's own, then vendors whose key is there, then what is embedded. Where somebody else is there, an
    /// embedded engine whose model is not installed is left out.
    fn auto(&self, task: &str, missing: &mut Vec<String>) -> Vec<String> {
        let mut engines = self.servers(task);
        engines.extend(self.vendors(task));
        let somebody = !engines.is_empty();
        let ours = EMBEDDED.iter().filter(|(of, _)| *of == task).flat_map(|(_, names)| names.iter());
        for name in ours {
            if somebody && !self.is_installed(name) {
                missing.push((*name).to_owned());
            } else {
                engines.push((*name).to_owned());
            }
        }
        engines
    }

    /// Those whose section says what they do.
    fn servers(&self, task: &str) -> Vec<String> {
        let named = self.accounts.compatible.iter();
        let named = named.filter_map(|(owner, account)| Some(format!("{owner}/{}", account.model(task)?)));
        named.filter(|engine| self.accounts.find(engine, task).is_some()).collect()
    }

    fn vendors(&self, task: &str) -> Vec<String> {
        let preferred = AUTO.iter().filter(|(of, _)| *of == task).flat_map(|(_, vendors)| vendors.iter());
        let engine = |(section, model): &(&str, &str)| {
            let (vendor, account) = self.accounts.rows().find(|(vendor, _)| vendor.section == *section)?;
            let model = account.model(task).unwrap_or(model);
            let able = vendor.tasks().contains(&task) && vendor.lacking(account).is_none() && !model.is_empty();
            able.then(|| format!("{}/{model}", vendor.name))
        };
        preferred.filter_map(engine).collect()
    }

    /// The turn detector that `auto` means.
    pub(super) fn turn(&self, config: &Config, missing: &mut Vec<String>) -> String {
        let ours = |chain: &[String]| chain.iter().all(|name| name.starts_with("local/"));
        let alone = ours(&config.stt) && ours(&config.llm) && ours(&config.tts);
        if alone || self.is_installed(SMART_TURN) {
            return SMART_TURN.to_owned();
        }
        missing.push(SMART_TURN.to_owned());
        String::new()
    }

    /// The embedding model that `auto` means: nobody's but ours, so that no document leaves this machine unasked.
    pub(super) fn embed(&self, missing: &mut Vec<String>) -> String {
        if self.is_installed(MINILM) {
            return MINILM.to_owned();
        }
        missing.push(MINILM.to_owned());
        String::new()
    }

    fn is_installed(&self, engine: &str) -> bool {
        model_file(engine).is_none_or(|file| self.models.join(file).exists())
    }
}

/// The file or folder of an embedded engine's model; `None` for those without.
pub(super) fn model_file(engine: &str) -> Option<&'static str> {
    match engine {
        "local/whisper-base" => Some("whisper-base.ggml"),
        "local/whisper-tiny.en" => Some("whisper-tiny.en.ggml"),
        "local/hibari" => Some("hibari"),
        SMART_TURN => Some("smart-turn.onnx"),
        MINILM => Some("minilm.onnx"),
        _ => None,
    }
}

/// In a chain, whatever is there.
pub(super) const AUTO_NAME: &str = "auto";
pub(super) const SMART_TURN: &str = "local/smart-turn";
pub(super) const MINILM: &str = "local/minilm";

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{
        super::{account::Account, accounts::embedded, vendors::VENDORS},
        *,
    };

    /// What `auto` means to someone with keys for these sections, and with the embedded models or without.
    fn meant(task: &'static str, keys: &[&str], chain: &[&str], installed: bool) -> (Vec<String>, Vec<String>) {
        let dir = tempfile::tempdir().unwrap();
        for file in ["whisper-base.ggml", "hibari", "smart-turn.onnx"].iter().filter(|_| installed) {
            std::fs::write(dir.path().join(file), "").unwrap();
        }
        let keyed = Account { api_key: "k".into(), base_url: "https://me.example".into(), ..Account::default() };
        let none = Account::default();
        let own = Account { models: "llm = 'llama3.2'".parse().unwrap(), ..Account::at("http://127.0.0.1:11434/v1") };
        let compatible = BTreeMap::from([("ollama".to_owned(), own)]);
        let none_of_them = BTreeMap::new();
        let accounts = Accounts {
            vendors: VENDORS.each_ref().map(|row| if keys.contains(&row.section) { &keyed } else { &none }),
            compatible: if keys.contains(&"ollama") { &compatible } else { &none_of_them },
        };
        let chain: Vec<_> = chain.iter().map(|name| (*name).to_owned()).collect();
        let mut missing = Vec::new();
        let found = Surroundings { accounts, models: dir.path() }.chain(task, &chain, &mut missing);
        (found, missing)
    }

    #[test]
    fn without_keys_the_embedded_engines_are_meant_installed_or_not() {
        for installed in [true, false] {
            assert_eq!(meant("stt", &[], &["auto"], installed).0, ["local/whisper-base"]);
            assert_eq!(meant("llm", &[], &["auto"], installed).0, ["local/agent"]);
            assert_eq!(meant("tts", &[], &["auto"], installed).0, ["local/hibari", "local/flite", "local/espeak"]);
        }
    }

    #[test]
    fn keyed_vendors_stand_before_the_embedded_engines_in_order_of_preference() {
        let keys = ["elevenlabs", "deepgram", "anthropic", "openai"];
        let (llm, _) = meant("llm", &keys, &["auto"], true);
        assert_eq!(llm, ["openai/gpt-4.1-mini", "anthropic/claude-haiku-4-5", "local/agent"]);
        let (stt, _) = meant("stt", &keys, &["auto"], true);
        assert_eq!((stt[0].as_str(), stt[1].as_str()), ("deepgram/nova-3", "elevenlabs/scribe_v2_realtime"));
        assert_eq!(stt.last().unwrap(), "local/whisper-base");
        assert_eq!(meant("llm", &["azure_openai"], &["auto"], true).0, ["local/agent"], "no deployment is known");
        assert_eq!(meant("llm", &["ollama", "openai"], &["auto"], true).0[0], "ollama/llama3.2");
    }

    #[test]
    fn auto_stands_anywhere_and_nothing_twice() {
        let (stt, _) = meant("stt", &["deepgram"], &["local/whisper-tiny.en", "auto", "nova-3"], true);
        assert_eq!(stt, ["local/whisper-tiny.en", "deepgram/nova-3", "local/whisper-base"]);
    }

    #[test]
    fn behind_a_vendor_an_embedded_engine_that_is_not_installed_is_left_out_and_told() {
        let (tts, missing) = meant("tts", &["deepgram"], &["auto"], false);
        assert_eq!(tts, ["deepgram/aura-2", "local/flite", "local/espeak"]);
        assert_eq!(missing, ["local/hibari"]);
    }

    #[test]
    fn a_name_without_its_vendor_is_looked_up() {
        for (name, expected) in [
            ("nova-3", "deepgram/nova-3"),
            ("claude-sonnet-5", "anthropic/claude-sonnet-5"),
            ("gpt-4o-mini", "openai/gpt-4o-mini"),
            ("whisper-base", "local/whisper-base"),
            ("anthropic/claude-sonnet-5", "anthropic/claude-sonnet-5"),
            ("mystery", "mystery"),
        ] {
            assert_eq!(whole(name), expected);
        }
    }

    #[test]
    fn every_section_of_the_table_is_a_vendor() {
        for (_, vendors) in AUTO {
            for (section, _) in vendors {
                assert!(VENDORS.iter().any(|vendor| vendor.section == *section), "{section}");
            }
        }
        for (task, names) in EMBEDDED {
            assert!(names.iter().all(|name| embedded(task).contains(name)));
        }
    }
}
