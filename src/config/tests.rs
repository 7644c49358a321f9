use std::collections::BTreeMap;

use secrecy::ExposeSecret;

use super::*;

fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let home = [("HOME".to_owned(), "/home/someone".to_owned())];
    home.into_iter().chain(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))).collect()
}

fn load_text(text: &str, pairs: &[(&str, &str)]) -> Result<Config, Problems> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("relay.toml");
    std::fs::write(&path, text).unwrap();
    Config::load(&Flags { config: Some(path), ..Flags::default() }, &environment(pairs))
}

#[test]
fn nothing_given_means_the_defaults() {
    let config = Config::load(&Flags::default(), &environment(&[])).unwrap();
    assert_eq!(config.server.listen, "127.0.0.1:8080");
    assert_eq!(config.server.data_dir, Path::new("/home/someone/.local/share/voice-relay"));
    assert_eq!(config.models.dir, Path::new("/home/someone/.local/share/voice-relay/models"));
}

#[test]
fn flags_win_over_environment_and_environment_over_file() {
    let text = "[server]\nlisten = '127.0.0.1:1'\ndata_dir = '/file'\n[log]\nlevel = 'warn'\n";
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("relay.toml");
    std::fs::write(&path, text).unwrap();
    let flags = Flags { config: Some(path), listen: Some("127.0.0.1:3".into()), data_dir: None };
    let pairs = [("VOICE_RELAY__SERVER__LISTEN", "127.0.0.1:2"), ("VOICE_RELAY__SERVER__DATA_DIR", "/environment")];
    let config = Config::load(&flags, &environment(&pairs)).unwrap();
    assert_eq!(config.server.listen, "127.0.0.1:3");
    assert_eq!(config.server.data_dir, Path::new("/environment"));
    assert_eq!(config.log.level, "warn");
}

#[test]
fn every_mistake_is_told_at_once_with_its_place() {
    let text = "[server]\nlisten = 'nowhere'\ncolour = 1\n[log]\nformat = 'xml'\n[inference]\nthreads = 'two'\n[music]\na = 1\n";
    let pairs = [
        ("VOICE_RELAY__LOG__LEVEL", "a=b=c"),
        ("VOICE_RELAY__INFERENCE__QUEUE", "-1"),
        ("VOICE_RELAY__MODELS__INDEX_URL", "http://\u{FFFD}"),
    ];
    let told = load_text(text, &pairs).unwrap_err().to_string();
    for expected in [
        "relay.toml:2: server.listen: must be an address and a port",
        "relay.toml:3: server.colour: no such key; allowed here: ",
        "relay.toml:5: log.format: must be `pretty` or `json`",
        "relay.toml:7: inference.threads: must be a whole number, not a string",
        "relay.toml:9: music.a: no such section; allowed: ",
        "environment VOICE_RELAY__LOG__LEVEL: log.level: must be error, warn",
        "environment VOICE_RELAY__INFERENCE__QUEUE: inference.queue: must be a whole number, 0 or more",
        "environment VOICE_RELAY__MODELS__INDEX_URL: models.index_url: must be UTF-8 text",
    ] {
        assert!(told.contains(expected), "`{expected}` not in\n{told}");
    }
}

#[test]
fn a_log_level_that_is_none_is_no_filter_either() {
    for (level, good) in
        [("loud", false), ("info,loud", false), ("debug", true), ("info,voice_relay::realtime=debug", true)]
    {
        assert_eq!(load_text("", &[("VOICE_RELAY__LOG__LEVEL", level)]).is_ok(), good, "{level}");
    }
}

#[test]
fn mistakes_are_told_in_the_words_of_people_and_in_the_order_of_the_file() {
    let text = "[server]\nallowed_origins = ['https://a', 3]\ndrain_seconds = -4\n[inference]\nthreads = 2.5\n";
    let told = load_text(text, &[]).unwrap_err();
    let told: Vec<_> = told.0.iter().map(|problem| format!("{}: {}", problem.key, problem.message)).collect();
    let expected = [
        "server.allowed_origins: must be a list of strings",
        "server.drain_seconds: must be a whole number, 0 or more",
        "inference.threads: must be a whole number, not a fraction",
    ];
    assert_eq!(told, expected);
}

#[test]
fn an_admin_key_that_no_header_can_carry_is_refused() {
    for key in ["a-long-enough-kéy", "a long enough key", "a-long-enough-\u{FFFD}ey"] {
        assert!(load_text("", &[("VOICE_RELAY_ADMIN_KEY", key)]).is_err(), "{key}");
    }
}

#[test]
fn broken_toml_names_its_line() {
    let told = load_text("[server]\nlisten = \n", &[]).unwrap_err().to_string();
    assert!(told.contains("relay.toml:2: "), "{told}");
}

#[test]
fn a_named_file_must_exist() {
    let flags = Flags { config: Some("/no/such/file".into()), ..Flags::default() };
    let told = Config::load(&flags, &environment(&[])).unwrap_err().to_string();
    assert!(told.contains("/no/such/file: cannot be read"), "{told}");
}

#[test]
fn lists_from_the_environment_are_comma_separated() {
    let config = load_text("", &[("VOICE_RELAY__PROVIDERS__TTS", "local/flite, local/espeak")]).unwrap();
    assert_eq!(config.providers.tts, ["local/flite", "local/espeak"]);
}

#[test]
fn secrets_never_show_in_debug_output() {
    let config = load_text("", &[("VOICE_RELAY_ADMIN_KEY", "a-planted-admin-key")]).unwrap();
    assert_eq!(config.server.admin_key.expose_secret(), "a-planted-admin-key");
    assert!(!format!("{config:?}").contains("planted"));
}

#[test]
fn a_bad_admin_key_names_the_variable_it_came_from() {
    let told = load_text("", &[("VOICE_RELAY_ADMIN_KEY", "short")]).unwrap_err().to_string();
    assert!(told.contains("environment VOICE_RELAY_ADMIN_KEY: server.admin_key: must have"), "{told}");
    assert!(!told.contains("short"), "{told}");
}

#[test]
fn the_example_shows_every_key_with_its_default() {
    let text = include_str!("../../config.example.toml");
    let shown: toml::Table = toml::from_str(text).unwrap();
    assert_eq!(shown, layers::schema::<Config>());
}

/// Everything that is told of this text, without the file's path.
fn told(text: &str, pairs: &[(&str, &str)]) -> Vec<String> {
    let problems = load_text(text, pairs).unwrap_err().0;
    let line = |origin: &str| origin.rsplit('/').next().unwrap_or_default().to_owned();
    problems.iter().map(|problem| format!("{} {}: {}", line(&problem.origin), problem.key, problem.message)).collect()
}

#[test]
fn a_key_in_the_environment_is_all_it_takes() {
    let config =
        load_text("", &[("OPENAI_API_KEY", "k"), ("ANTHROPIC_API_KEY", "k"), ("DEEPGRAM_API_KEY", "k")]).unwrap();
    assert_eq!(config.providers.llm, ["openai/gpt-4.1-mini", "anthropic/claude-haiku-4-5", "local/agent"]);
    assert_eq!(config.providers.stt[0], "deepgram/nova-3");
    assert_eq!(config.providers.realtime, [""; 0]);
    let without = load_text("", &[]).unwrap();
    assert_eq!(
        (&*without.providers.stt, &*without.providers.turn),
        (&["local/whisper-base".into()][..], "local/smart-turn")
    );
    assert_eq!(without.providers.tts, ["local/hibari", "local/flite", "local/espeak"]);
}

#[test]
fn a_vendors_section_goes_before_its_variables() {
    let pairs = [("AZURE_OPENAI_API_KEY", " theirs\n"), ("AZURE_OPENAI_ENDPOINT", "https://me.openai.azure.com")];
    let text = "[providers]\nllm = ['azure/mine', 'auto']\n[azure_openai]\nmodels.llm = 'other'\n";
    let config = load_text(text, &pairs).unwrap();
    assert_eq!(config.azure_openai.api_key.expose_secret(), "theirs");
    assert_eq!(config.azure_openai.base_url, "https://me.openai.azure.com");
    assert_eq!(config.providers.llm, ["azure/mine", "azure/other", "local/agent"]);
    let ours = [&pairs[..], &[("VOICE_RELAY__AZURE_OPENAI__API_KEY", "ours")]].concat();
    assert_eq!(load_text(text, &ours).unwrap().azure_openai.api_key.expose_secret(), "ours");
    assert!(!format!("{config:?}").contains("theirs"));
}

#[test]
fn an_engine_whose_account_is_not_complete_is_told_with_the_remedy() {
    let text = "[providers]\nllm = ['claude-haiku-4-5', 'auto']\n[routes.es]\nstt = ['deepgram/nova-3']\n\
                [offered]\nllm = ['azure/x']\n[compatible.mine]\napi_key = ''\n";
    let told = told(text, &[("AZURE_OPENAI_API_KEY", "k")]);
    let expected = [
        "relay.toml:8 compatible.mine.base_url: must be the URL",
        "relay.toml:2 providers.llm: `anthropic/claude-haiku-4-5` cannot be used without its account: set anthropic.api_key, \
         or ANTHROPIC_API_KEY in the environment",
        "relay.toml:4 routes.es.stt: `deepgram/nova-3` cannot be used",
        "relay.toml:6 offered.llm: `azure/x` cannot be used without its account: set azure_openai.base_url, or \
         AZURE_OPENAI_ENDPOINT in the environment",
    ];
    for expected in expected {
        assert!(told.iter().any(|line| line.starts_with(expected)), "{expected}\n{told:#?}");
    }
    assert_eq!(told.len(), 4, "a key in the environment alone is no mistake\n{told:#?}");
}

#[test]
fn what_no_chain_can_name_is_told_with_what_it_can() {
    for wrong in ["anthropic/", "mystery", "deepgram/nova-3", "vendor/x", "scripted/tts"] {
        let told = told(&format!("[providers]\nllm = [\"{wrong}\"]\n"), &[]);
        let expected = format!("`{wrong}` is not known; allowed: auto, local/agent, ");
        assert!(told[0].contains(&expected) && told[0].contains("ollama/MODEL"), "{wrong}: {told:?}");
    }
    assert!(told("[providers]\nrealtime = ['auto']\n", &[])[0].contains("providers.realtime: `auto` is not known"));
    assert!(told("[providers]\nstt = []\n", &[])[0].contains("must name at least one of auto, local/whisper-base"));
}

#[test]
fn a_server_of_ones_own_is_one_section_and_what_was_before_says_where_it_went() {
    let text = "[providers]\nllm = ['ollama/llama3.2', 'mine/big', 'auto']\n\
                [compatible]\nmine = { base_url = 'http://10.0.0.1:8000/v1', models = { llm = 'small' } }\n";
    let config = load_text(text, &[]).unwrap();
    assert_eq!(config.providers.llm, ["ollama/llama3.2", "mine/big", "mine/small", "local/agent"]);
    assert_eq!(config.compatible["ollama"].base_url, "http://127.0.0.1:11434/v1");
    let old = "[providers]\nllm = ['openai/chat']\n[openai]\nmodel = 'llama3.2'\n";
    let told = told(old, &[]);
    assert!(told[0].starts_with("relay.toml:4 openai.model: is gone: [openai] is OpenAI itself"), "{told:?}");
    assert!(told[1].contains("providers.llm: `openai/chat` is gone"), "{told:?}");
    let taken = load_text("[compatible.deepgram]\nbase_url = 'http://x/v1'\n", &[]).unwrap_err().to_string();
    assert!(taken.contains("cannot be the name of a server"), "{taken}");
}

#[test]
fn maps_are_laid_over_their_defaults_key_by_key_from_every_layer() {
    let text = "[names]\nwhisper-1 = 'local/whisper-base'\n'gpt-4.9' = 'llm'\n\
                [voices]\nalloy = { deepgram = 'aura-2-hera-en' }\n[voices.house]\nelevenlabs = 'abc'\n\
                [routes.es]\ntts = ['local/espeak']\n[limits.deepgram]\nconcurrent = 5\n";
    let pairs =
        [("VOICE_RELAY__ROUTES__FR__STT", "local/whisper-base"), ("VOICE_RELAY__LIMITS__LOCAL__PER_MINUTE", "9")];
    let config = load_text(text, &pairs).unwrap();
    assert_eq!((&*config.names["whisper-1"], &*config.names["tts-1"]), ("local/whisper-base", "tts"));
    assert_eq!(config.names["gpt-4.9"], "llm");
    let voice = |name: &str, vendor: &str| config.voices[name][vendor].clone();
    assert_eq!(
        (voice("alloy", "deepgram").as_str(), voice("alloy", "elevenlabs").as_str()),
        ("aura-2-hera-en", "sarah")
    );
    assert_eq!(voice("house", "elevenlabs"), "abc");
    assert_eq!(
        (&*config.routes["es"].tts, &*config.routes["fr"].stt),
        (&["local/espeak".into()][..], &["local/whisper-base".into()][..])
    );
    assert_eq!((config.limits["deepgram"].concurrent, config.limits["local"].per_minute), (5, 9));
}

#[test]
fn mistakes_in_maps_are_told_with_their_places_too() {
    let text = "[names]\nwhisper-1 = 3\n[routes.es]\ncolour = ['x']\nstt = 'local/whisper-base'\n\
                [voices]\nalloy = { nobody = 'x' }\necho = 'y'\n[limits.deepgram]\nconcurrent = -1\n\
                [deepgram.models]\nllm = 'x'\n[elevenlabs.settings]\nstability = 7\n[music]\n";
    let told = told(text, &[]);
    for expected in [
        "relay.toml:2 names.whisper-1: must be a string, not a whole number",
        "relay.toml:4 routes.es.colour: no such key; allowed here: llm, stt, tts",
        "relay.toml:5 routes.es.stt: must be a list, not a string",
        "relay.toml:7 voices.alloy.nobody: no such vendor",
        "relay.toml:8 voices.echo: is a section, not a value",
        "relay.toml:10 limits.deepgram.concurrent: must be a whole number, 0 or more",
        "relay.toml:12 deepgram.models.llm: no such task here; there is: stt, tts",
        "relay.toml:14 elevenlabs.settings.stability: must be 0 to 1",
        "relay.toml:15 music: no such section; allowed: ",
    ] {
        assert!(told.iter().any(|line| line.starts_with(expected)), "{expected}\n{told:#?}");
    }
    assert_eq!(told.len(), 9, "{told:#?}");
    let nowhere = load_text("[names]\nhouse = 'deepgram/nova-3'\n", &[]).unwrap_err().to_string();
    assert!(nowhere.contains("relay.toml:2: names.house: `deepgram/nova-3` is neither"), "{nowhere}");
}

#[test]
fn nobody_is_cleared_for_clinical_data_by_a_slip() {
    let told = told("[clinical]\ncleared = ['openai', 'ollama', 'opnai', 'openai/gpt-4.1-mini']\n", &[]);
    assert_eq!(told.len(), 2, "{told:#?}");
    for (line, name) in told.iter().zip(["opnai", "openai/gpt-4.1-mini"]) {
        assert!(line.starts_with(&format!("relay.toml:2 clinical.cleared: `{name}` is not known")), "{line}");
    }
    let one = load_text("", &[("VOICE_RELAY__CLINICAL__CLEARED", "openai,ollama")]).unwrap();
    assert_eq!(one.clinical.cleared, ["openai", "ollama"]);
}
