//! `[voices]`: for a voice that clients ask for, each vendor's own voice of the same gender and manner.
//!
//! OpenAI describes its voices at <https://platform.openai.com/docs/guides/text-to-speech>; the others' are from
//! <https://elevenlabs.io/docs/capabilities/voices>, <https://developers.deepgram.com/docs/tts-models>,
//! <https://learn.microsoft.com/azure/ai-services/speech-service/language-support?tabs=tts>,
//! <https://cloud.google.com/text-to-speech/docs/chirp3-hd> and
//! <https://ai.google.dev/gemini-api/docs/speech-generation#voices>. flite's slt is a woman and rms a man; espeak-ng's own
//! voice sounds like a man, its variant f3 like a woman. The embedded hibari has one voice, a woman's.

use std::collections::BTreeMap;

use super::accounts::Accounts;

/// By the name asked for, each vendor's own, by its name or by an engine's.
pub type Voices = BTreeMap<String, BTreeMap<String, String>>;

/// OpenAI's voices, which clients ask for, and their equivalents.
pub(crate) fn usual() -> Voices {
    let row = |[name, elevenlabs, deepgram, azure, google]: [&str; 5], man: bool| {
        let (flite, espeak) = if man { ("rms", "en-us") } else { ("slt", "en-us+f3") };
        let own = [
            ("openai", name),
            ("elevenlabs", elevenlabs),
            ("deepgram", deepgram),
            ("azure", azure),
            ("google", google),
            ("gemini", google),
            ("local/flite", flite),
            ("local/espeak", espeak),
        ];
        (name.to_owned(), own.map(|(vendor, voice)| (vendor.to_owned(), voice.to_owned())).into())
    };
    let women = WOMEN.into_iter().map(|names| row(names, false));
    women.chain(MEN.into_iter().map(|names| row(names, true))).collect()
}

/// OpenAI, ElevenLabs, Deepgram, Azure, Google.
const WOMEN: [[&str; 5]; 6] = [
    ["alloy", "sarah", "aura-2-thalia-en", "en-US-AvaMultilingualNeural", "Kore"],
    ["coral", "jessica", "aura-2-andromeda-en", "en-US-EmmaMultilingualNeural", "Aoede"],
    ["marin", "matilda", "aura-2-helena-en", "en-US-AvaMultilingualNeural", "Sulafat"],
    ["nova", "laura", "aura-2-asteria-en", "en-US-EmmaMultilingualNeural", "Zephyr"],
    ["sage", "alice", "aura-2-athena-en", "en-US-AvaMultilingualNeural", "Leda"],
    ["shimmer", "lily", "aura-2-luna-en", "en-US-EmmaMultilingualNeural", "Achernar"],
];
const MEN: [[&str; 5]; 7] = [
    ["ash", "chris", "aura-2-arcas-en", "en-US-AndrewMultilingualNeural", "Puck"],
    ["ballad", "george", "aura-2-draco-en", "en-US-BrianMultilingualNeural", "Achird"],
    ["cedar", "eric", "aura-2-apollo-en", "en-US-AndrewMultilingualNeural", "Algieba"],
    ["echo", "will", "aura-2-orpheus-en", "en-US-BrianMultilingualNeural", "Umbriel"],
    ["fable", "daniel", "aura-2-draco-en", "en-US-AndrewMultilingualNeural", "Fenrir"],
    ["onyx", "brian", "aura-2-zeus-en", "en-US-BrianMultilingualNeural", "Charon"],
    ["verse", "liam", "aura-2-aries-en", "en-US-AndrewMultilingualNeural", "Puck"],
];

/// Every row that names nobody we know.
pub(crate) fn validate(voices: &Voices, accounts: &Accounts<'_>) -> Vec<(String, String)> {
    let owner = |name: &str| name.split_once('/').map_or_else(|| name.to_owned(), |(owner, _)| owner.to_owned());
    let places = voices.iter().flat_map(|(voice, row)| row.keys().map(move |place| (voice, place)));
    let unknown = places.filter(|(_, place)| !accounts.knows(&owner(place)));
    let message = "no such vendor: the names before the slash of engines are allowed, and engines' names";
    unknown.map(|(voice, place)| (format!("{voice}.{place}"), message.to_owned())).collect()
}

/// What this engine's voices are called, by what may be asked for. `usual` speaks for those who ask for nothing, by
/// `unasked`.
pub(super) fn own(voices: &Voices, engine: &str, usual: Option<&str>, unasked: &str) -> BTreeMap<String, String> {
    let owner = engine.split_once('/').map_or(engine, |(owner, _)| owner);
    let ours = |row: &BTreeMap<String, String>| row.get(engine).or_else(|| row.get(owner)).cloned();
    let mut own: BTreeMap<String, String> =
        voices.iter().filter_map(|(asked, row)| Some((asked.to_lowercase(), ours(row)?))).collect();
    if let Some(usual) = usual {
        own.insert(unasked.to_lowercase(), usual.to_owned());
    }
    // Whoever asks for another vendor's voice is given the equivalent here.
    for row in voices.values() {
        let Some(voice) = ours(row) else { continue };
        let others = row.iter().filter(|(place, theirs)| *place != owner && *place != engine && **theirs != voice);
        for (_, theirs) in others {
            own.entry(theirs.to_lowercase()).or_insert_with(|| voice.clone());
        }
    }
    own
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_voice_has_an_equivalent_at_every_vendor() {
        let voices = usual();
        assert_eq!(voices.len(), 13);
        for vendor in ["openai/x", "elevenlabs/x", "deepgram/x", "azure/x", "google/x", "gemini/x", "local/flite"] {
            let own = own(&voices, vendor, None, "alloy");
            assert!(voices.keys().all(|voice| own.contains_key(voice)), "{vendor}");
        }
        assert!(own(&voices, "ollama/x", None, "alloy").is_empty());
    }

    #[test]
    fn an_engines_own_row_goes_before_its_vendors_and_a_configured_voice_speaks_for_the_unasked() {
        let mut voices = usual();
        voices.get_mut("onyx").unwrap().insert("deepgram/aura-2".into(), "aura-2-odysseus-en".into());
        let with = |usual| own(&voices, "deepgram/aura-2", usual, "alloy");
        assert_eq!(with(None)["onyx"], "aura-2-odysseus-en");
        assert_eq!((&*with(None)["alloy"], &*with(Some("mine"))["alloy"]), ("aura-2-thalia-en", "mine"));
        assert_eq!(with(None)["sarah"], "aura-2-thalia-en", "asked for by another vendor's name");
        assert!(!with(None).contains_key("aura-2-thalia-en"), "its own names stay as they are");
    }
}
