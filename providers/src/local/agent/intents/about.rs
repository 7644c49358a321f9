//! What the agent is, what it can do, and how a language model takes its place.

use super::super::{heard::Heard, scene::Scene};

pub(super) fn answer(heard: &Heard, _: &Scene<'_>) -> Option<String> {
    let model = ["language model", "llm", "real model", "ollama", "llama", "better model", "bigger model", "a model"];
    let attach = ["attach", "connect", "use", "configure", "install", "add", "set up", "switch", "plug"];
    if heard.has(&model) && heard.has(&attach) {
        return Some(ATTACH.to_owned());
    }
    if heard.has(&[
        "who are you",
        "what are you",
        "introduce yourself",
        "tell me about yourself",
        "about yourself",
        "are you a robot",
        "are you an ai",
        "are you human",
        "are you a human",
        "are you real",
        "are you a real",
        "are you a person",
        "are you chatgpt",
        "are you a language model",
        "are you an assistant",
        "which model are you",
        "what model are you",
        "who made you",
        "who created you",
        "are you intelligent",
        "are you artificial intelligence",
    ]) {
        return Some(format!("{SELF} {ABLE}"));
    }
    if heard.has(&["your name", "what are you called", "what should i call you", "what do i call you"]) {
        return Some("I have no name of my own. I am the built-in agent of voice relay.".to_owned());
    }
    let able = [
        "what can you do",
        "what can i ask",
        "what can i say",
        "what do you do",
        "what do you know",
        "what are you able to do",
        "how can you help",
        "can you help me",
        "what you can do",
        "what else can you do",
    ];
    let alone = ["help", "help me", "i need help", "what can i ask you", "help me please"];
    (heard.has(&able) || heard.is(&alone)).then(|| format!("{ABLE} {ATTACH}"))
}

const SELF: &str = "I am the small agent built into voice relay: a set of rules, not a language model.";
pub(super) const ABLE: &str = "I can tell you the time and the date, do sums, convert units, spell words, count, \
    repeat after you, and recall what you said in this conversation.";
const ATTACH: &str = "To attach a language model, set the key llm in the configuration to an OpenAI compatible server, \
    such as Ollama or llama cpp, by its base URL.";

#[cfg(test)]
mod tests {
    use super::{super::super::scene::tests::now, *};

    #[test]
    fn it_says_what_it_is_and_how_to_attach_a_model() {
        let reply = |text: &str| answer(&Heard::new(text), &Scene::new(&now(), &[]));
        for text in
            ["Who are you?", "What are you?", "Are you a robot?", "Tell me about yourself.", "Hey, who made you?"]
        {
            assert!(reply(text).is_some_and(|answer| answer.starts_with(SELF)), "{text}");
        }
        for text in ["What can you do?", "Help!", "Can you help me?"] {
            assert!(reply(text).is_some_and(|answer| answer.starts_with(ABLE)), "{text}");
        }
        for text in ["How do I attach a language model?", "Can I use Ollama?", "How can I connect a real model?"] {
            assert_eq!(reply(text).as_deref(), Some(ATTACH), "{text}");
        }
        assert!(reply("What's your name?").is_some());
        assert_eq!(reply("Go forward ten meters."), None);
    }
}
