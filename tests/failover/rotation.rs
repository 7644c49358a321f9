//! Keys are exchanged in the midst of a conversation: files rewritten, SIGHUP sent, nobody dropped.

use std::time::Duration;

use crate::{
    client::{Answer, Client, recording, words_of},
    relay::{Relay, configuration},
    tones,
    vendors::{Truth, Vendor, Vendors},
};

const REPLY: &str = "All is well again. Thank you.";
const CHAINS: [&[&str]; 3] = [
    &["deepgram/nova-3"],
    &["anthropic/claude-sonnet-4-5", "deepseek/deepseek-chat"],
    &["elevenlabs/eleven_flash_v2_5"],
];
const AGAIN: &str = "accounts were read again";

/// A relay whose ear's key stands in a file, whose mouth's systemd holds, and whose minds' its configuration has.
struct Scene {
    vendors: Vendors,
    relay: Relay,
    client: Client,
    keys: tempfile::TempDir,
}

impl Scene {
    async fn set(ear: &str) -> Self {
        let vendors = Vendors::start(REPLY).await;
        vendors.hear(Truth::Words(words_of("cards-005"), Duration::from_secs(3)));
        let keys = tempfile::tempdir().unwrap();
        let path = |name: &str| keys.path().join(name).display().to_string();
        std::fs::write(path("mounted"), format!("{ear}\n")).unwrap();
        std::fs::write(path("ELEVENLABS_API_KEY"), "planted-mouth-1").unwrap();
        let environment = [("DEEPGRAM_API_KEY_FILE", path("mounted")), ("CREDENTIALS_DIRECTORY", path(""))];
        let environment = environment.each_ref().map(|(name, value)| (*name, value.as_str()));
        let relay = Relay::launch(&config(&vendors, 1), &environment).await;
        let client = Client::join(&relay).await;
        Self { vendors, relay, client, keys }
    }

    fn write(&self, name: &str, key: &str) {
        std::fs::write(self.keys.path().join(name), key).unwrap();
    }

    /// Says something, and listens to what comes.
    async fn turn(&mut self) -> Answer {
        self.client.speak(&recording("cards-005")).await;
        let answer = self.client.answer().await;
        self.client.rest(Duration::from_millis(answer.sound().len() as u64 / 48 + 500)).await;
        answer
    }

    /// The same, and it is well.
    async fn is_well(&mut self) {
        let answer = self.turn().await;
        assert_eq!((answer.status(), answer.text().trim_end()), ("completed", REPLY));
        assert_eq!(answer.transcript(), words_of("cards-005"));
        assert_eq!(tones::tell(REPLY, &tones::heard(&answer.sound()), 0), Ok(()));
    }

    /// The keys each vendor was shown since, each once.
    fn shown(&self, before: usize) -> Vec<(Vendor, String)> {
        let doors = self.vendors.doors().split_off(before);
        let mut shown: Vec<_> = doors.into_iter().filter_map(|door| Some((door.vendor?, door.key))).collect();
        shown.sort_by_key(|(vendor, key)| (*vendor as u8, key.clone()));
        shown.dedup();
        shown
    }
}

/// The configuration with this edition of the minds' keys.
fn config(vendors: &Vendors, edition: u32) -> String {
    let sections = vendors.sections(|vendor| match vendor {
        "anthropic" | "deepseek" => format!("api_key = \"planted-{vendor}-{edition}\"\n"),
        _ => String::new(),
    });
    configuration(CHAINS, "", &sections)
}

#[tokio::test]
async fn a_live_session_goes_on_with_the_new_keys() {
    let mut scene = Scene::set("planted-ear-1").await;
    scene.is_well().await;
    let first = scene.shown(0);
    let keys: Vec<_> = first.iter().map(|(_, key)| key.as_str()).collect();
    assert_eq!(keys, ["planted-ear-1", "planted-mouth-1", "planted-anthropic-1"]);
    scene.write("mounted", "planted-ear-2");
    scene.write("ELEVENLABS_API_KEY", "planted-mouth-2\n");
    let before = scene.vendors.doors().len();
    scene.is_well().await;
    assert!(scene.shown(before).iter().all(|shown| first.contains(shown)), "nobody told it to read them again");

    let before = scene.vendors.doors().len();
    scene.relay.reload(Some(&config(&scene.vendors, 2)), AGAIN, 1).await;
    scene.is_well().await;
    let keys: Vec<_> = scene.shown(before).into_iter().map(|(_, key)| key).collect();
    assert_eq!(keys, ["planted-ear-2", "planted-mouth-2", "planted-anthropic-2"], "not even warm ones are old");
    assert_eq!(scene.relay.metric("voice_relay_live_sessions", &[]).await, 1.0);
    for engine in CHAINS.concat() {
        assert_eq!(scene.relay.errors_of(engine).await, 0.0, "{engine}");
    }
    assert!(!scene.relay.log().contains("planted"), "no key is told");
}

#[tokio::test]
async fn a_configuration_with_a_mistake_changes_nothing() {
    let mut scene = Scene::set("planted-ear-1").await;
    scene.is_well().await;
    let good = config(&scene.vendors, 2);
    let broken = [
        good.replace("api_key = \"planted-deepseek-2\"", "api_key = \"planted-deepseek-2"),
        good.replace("planted-deepseek-2", "planted deepseek"),
        good.replace("api_key = \"planted-deepseek-2\"", "apikey = \"planted-deepseek-2\""),
        good.replace("stt = [", "stt = [\"planted/x\", "),
    ];
    for (config, times) in broken.iter().zip(1..) {
        assert_ne!(*config, good);
        scene.relay.reload(Some(config), "the configuration has mistakes", times).await;
    }
    scene.write("mounted", "");
    scene.relay.reload(Some(&good), "the configuration has mistakes", broken.len() + 1).await;
    let before = scene.vendors.doors().len();
    scene.is_well().await;
    let shown = scene.shown(before);
    assert!(shown.iter().all(|(_, key)| key.ends_with("-1")), "{shown:?}");
    assert!(scene.relay.log().contains("is empty"), "what is wrong is told");
    let log = scene.relay.log().replace("`planted/x`", "");
    assert!(!log.contains("planted"), "{log}");

    scene.write("mounted", "planted-ear-2");
    scene.relay.reload(None, AGAIN, 1).await;
    let before = scene.vendors.doors().len();
    scene.is_well().await;
    assert!(scene.shown(before).contains(&(Vendor::Ear, "planted-ear-2".to_owned())));
}

#[tokio::test]
async fn a_vendor_that_refused_the_old_key_is_asked_at_once_with_the_new_one() {
    let mut scene = Scene::set("planted-ear-1").await;
    scene.vendors.lock(Vendor::Ear, "planted-ear-2");
    scene.vendors.lock(Vendor::Claude, "planted-anthropic-2");
    let asked = scene.client.asks("Can you read this?", serde_json::json!({})).await;
    assert_eq!((asked.status(), asked.text().trim_end()), ("completed", REPLY));
    // What is interrupted before it was heard would be answered again.
    scene.client.rest(Duration::from_millis(1_500)).await;
    for _ in 0..2 {
        let answer = scene.turn().await;
        assert_eq!((answer.status(), answer.code()), ("failed", "transcription_failed"));
    }
    // Both are left alone for two minutes.
    assert_eq!(scene.vendors.keys(Vendor::Ear), ["planted-ear-1"]);
    assert_eq!(scene.vendors.keys(Vendor::Claude), ["planted-anthropic-1"]);
    let resting = async |relay: &Relay| relay.metric("voice_relay_provider_resting", &[]).await;
    assert_eq!(resting(&scene.relay).await, 2.0);

    scene.write("mounted", "planted-ear-2");
    scene.relay.reload(Some(&config(&scene.vendors, 2)), AGAIN, 1).await;
    assert_eq!(resting(&scene.relay).await, 0.0);
    scene.is_well().await;
    let last = |vendor| scene.vendors.keys(vendor).pop();
    assert_eq!(last(Vendor::Ear).as_deref(), Some("planted-ear-2"));
    assert_eq!(last(Vendor::Claude).as_deref(), Some("planted-anthropic-2"), "the preferred one thinks again");
    assert!(!scene.relay.log().contains("planted"), "not even where the vendor repeats it");
}
