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

#[test]
fn a_vendor_in_a_chain_needs_a_key_and_takes_it_from_its_own_variable() {
    let chain = "[providers]\nllm = [\"anthropic/claude-x\", \"local/agent\"]\n";
    let told = load_text(chain, &[]).unwrap_err().to_string();
    assert!(told.contains("providers.llm") && told.contains("ANTHROPIC_API_KEY"), "{told}");
    let config = load_text(chain, &[("ANTHROPIC_API_KEY", "sk-planted\n")]).unwrap();
    assert!(!format!("{config:?}").contains("sk-planted"));
    let ours = [("ANTHROPIC_API_KEY", "theirs"), ("VOICE_RELAY__ANTHROPIC__API_KEY", "ours")];
    let config = load_text(chain, &ours).unwrap();
    assert_eq!(secrecy::ExposeSecret::expose_secret(&config.anthropic.api_key), "ours");
    for wrong in ["anthropic/", "anthropic", "deepgram/nova-3", "vendor/x"] {
        let told = load_text(&format!("[providers]\nllm = [\"{wrong}\"]\n"), &[]).unwrap_err().to_string();
        assert!(told.contains("is not known"), "{wrong}: {told}");
    }
}
