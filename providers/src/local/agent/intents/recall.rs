//! What was said earlier in the session: names and other facts, questions, answers.

use super::super::{
    heard::{Heard, Word, capital},
    scene::Scene,
};

pub(super) fn answer(heard: &Heard, scene: &Scene<'_>) -> Option<String> {
    remembered(heard, scene)
        .or_else(|| own_words(heard, scene))
        .or_else(|| answers(heard, scene))
        .or_else(|| asked_fact(heard, scene))
        .or_else(|| told_fact(heard))
}

/// "what did I say", "what was my first question".
fn own_words(heard: &Heard, scene: &Scene<'_>) -> Option<String> {
    if heard.has(FIRST_QUESTION) {
        let question = scene.said().rev().take(FARTHEST).find(|text| Heard::new(text).is_question());
        return Some(match question {
            Some(text) => format!("The first thing you asked was: {}", sentence(text)),
            None => "You have not asked anything before that in this conversation.".to_owned(),
        });
    }
    if heard.has(FIRST_WORDS) {
        return Some(match scene.said().next_back() {
            Some(text) => format!("The first thing you said was: {}", sentence(text)),
            None => NOTHING_YET.to_owned(),
        });
    }
    if let Some(topic) = heard.after(&["did i say about", "did i tell you about", "did i ask about"]) {
        return Some(about(heard.quote(topic), topic, scene));
    }
    let last = [
        "what did i say",
        "what i said",
        "what did i just say",
        "what did i ask",
        "what did i just ask",
        "what was my last question",
        "my previous question",
        "the last thing i said",
        "what have i said",
        "what did i tell you",
        "what was my question",
        "what i just said",
        "repeat what i said",
    ];
    heard.has(&last).then(|| match scene.said().next() {
        Some(text) => format!("You said: {}", sentence(text)),
        None => NOTHING_YET.to_owned(),
    })
}

fn about(topic: &str, words: &[Word], scene: &Scene<'_>) -> String {
    let mentions = |text: &&str| {
        let said = Heard::new(text);
        !asks_back(&said)
            && words.iter().filter(|word| !SMALL.contains(&word.text.as_str())).all(|word| said.has(&[&word.text]))
    };
    match scene.said().take(FARTHEST).find(mentions) {
        Some(text) => format!("You said: {}", sentence(text)),
        None => format!("I do not remember you saying anything about {topic}."),
    }
}

/// "what did you say", "say that again".
fn answers(heard: &Heard, scene: &Scene<'_>) -> Option<String> {
    let asked = [
        "what did you say",
        "what did you just say",
        "what was that",
        "say that again",
        "repeat that",
        "say it again",
        "come again",
        "could you repeat that",
        "repeat that please",
        "what was your answer",
        "repeat your answer",
        "repeat yourself",
        "pardon",
        "pardon me",
        "repeat the answer",
        "what did you tell me",
        "what was your last answer",
        "i did not hear you",
        "i did not catch that",
        "i did not get that",
    ];
    heard.is(&asked).then(|| match scene.answered().next() {
        Some(text) => format!("I said: {}", sentence(text)),
        None => "I have not said anything yet.".to_owned(),
    })
}

/// "what is my name", "who am I", "what is my favorite color".
fn asked_fact(heard: &Heard, scene: &Scene<'_>) -> Option<String> {
    let who = heard.is(&["who am i", "do you know who i am", "what am i called", "do you remember me", "who i am"]);
    let subject = if who {
        "name".to_owned()
    } else {
        let asked = [
            "what is my",
            "what are my",
            "what was my",
            "do you remember my",
            "remember my",
            "when is my",
            "where is my",
            "who is my",
            "do you know my",
            "what my",
        ];
        let words = heard.after_lead(&asked).or_else(|| heard.after(&["what is my", "do you remember my"]))?;
        let end = words.iter().position(|word| ["is", "again", "was", "are"].contains(&word.text.as_str()));
        spell(&words[..end.unwrap_or(words.len())])
    };
    if subject.is_empty() {
        return None;
    }
    let told = scene.said().take(FARTHEST).find_map(|text| {
        let sentences = Heard::new(text).sentences();
        sentences
            .iter()
            .rev()
            .find_map(|said| fact(said).filter(|(about, _)| plain(about) == plain(&subject)).map(|(_, value)| value))
    });
    Some(match told {
        Some(value) if subject == "name" => format!("You told me your name is {value}."),
        Some(value) => format!("You told me your {subject} is {value}."),
        None if subject == "name" => "You have not told me your name yet.".to_owned(),
        None => format!("You have not told me your {subject} yet."),
    })
}

/// "my name is Ann" is acknowledged; recalling it later reads the conversation again.
fn told_fact(heard: &Heard) -> Option<String> {
    if let Some(thing) = to_remember(heard) {
        return Some(format!("I will remember, for this conversation: {}", sentence(&thing)));
    }
    if heard.sentences().len() > 1 || heard.is_question() {
        return None;
    }
    let (subject, value) = fact(heard)?;
    Some(if subject == "name" {
        format!("Nice to meet you, {value}.")
    } else {
        format!("All right, your {subject} is {value}. I will remember that for this conversation.")
    })
}

/// "what did I ask you to remember".
fn remembered(heard: &Heard, scene: &Scene<'_>) -> Option<String> {
    let asked = [
        "what did i ask you to remember",
        "what did i tell you to remember",
        "what should you remember",
        "what do you remember",
        "what did you remember",
    ];
    heard.has(&asked).then(|| match scene.said().take(FARTHEST).find_map(|text| to_remember(&Heard::new(text))) {
        Some(thing) => format!("You asked me to remember: {}", sentence(&thing)),
        None => "You have not asked me to remember anything yet.".to_owned(),
    })
}

fn to_remember(heard: &Heard) -> Option<String> {
    let words =
        heard.after_lead(&["remember that", "remember this", "please remember", "remember", "do not forget that"])?;
    let question =
        words.first().is_none_or(|word| ["my", "me", "what", "when", "the", "who"].contains(&word.text.as_str()));
    let bare_fact = words.iter().any(|word| ["is", "are", "was"].contains(&word.text.as_str()));
    if heard.text().ends_with('?') || question && !bare_fact {
        return None;
    }
    Some(heard.quote(words).to_owned())
}

/// What a statement says about its speaker: ("name", "Ann").
fn fact(said: &Heard) -> Option<(String, String)> {
    if said.text().ends_with('?') {
        return None;
    }
    if let Some(value) = said.after(&["my name is", "i am called", "call me", "you can call me"])
        && !value.is_empty()
    {
        return Some(("name".to_owned(), name(said, value)?));
    }
    if let Some([word]) = said.after_lead(&["i am"])
        && said.quote(std::slice::from_ref(word)).starts_with(char::is_uppercase)
        && !["ish", "ese", "ican", "man", "ian"].iter().any(|origin| word.text.ends_with(origin))
    {
        return Some(("name".to_owned(), said.quote(std::slice::from_ref(word)).to_owned()));
    }
    let words = said.after_lead(&["remember that my", "remember my", "my", "and my", "but my"])?;
    let verb = words.iter().position(|word| ["is", "are", "was"].contains(&word.text.as_str()))?;
    let (subject, value) = (&words[..verb], &words[verb + 1..]);
    if subject.is_empty() || subject.len() > 4 || value.is_empty() || value.len() > 12 {
        return None;
    }
    Some((spell(subject), said.quote(value).to_owned()))
}

/// The name itself: "Ann", "Ann Smith", but not "Ann and I live in Rome".
fn name(said: &Heard, words: &[Word]) -> Option<String> {
    let ends = ["and", "but", "what", "i", "nice", "can", "how", "not", "is"];
    let count = words.iter().take(3).take_while(|word| !ends.contains(&word.text.as_str())).count();
    let text = said.quote(&words[..count]);
    let text = text.split(['.', ',', '!', '?', ';']).next().unwrap_or("").trim();
    Some(capital(text))
}

fn asks_back(heard: &Heard) -> bool {
    heard.has(&["did i say", "did i tell", "did i ask"])
}

fn spell(words: &[Word]) -> String {
    words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
}

/// British and American spellings of what people have most.
fn plain(subject: &str) -> String {
    subject.replace("favourite", "favorite").replace("colour", "color")
}

/// The text with a stop at its end.
fn sentence(text: &str) -> String {
    let text = text.trim();
    let ended = text.ends_with(['.', '!', '?']);
    if ended { text.to_owned() } else { format!("{}.", text.trim_end_matches([',', ';', ':'])) }
}

const FIRST_QUESTION: &[&str] =
    &["my first question", "did i ask first", "first thing i asked", "did i ask you first", "did i first ask"];
const FIRST_WORDS: &[&str] = &["did i say first", "first thing i said", "did i first say", "my first words"];
const NOTHING_YET: &str = "You have not said anything before that in this conversation.";
/// How many utterances are searched: a bound on the work of one answer.
const FARTHEST: usize = 200;
const SMALL: [&str; 8] = ["the", "a", "an", "my", "your", "that", "it", "this"];

#[cfg(test)]
mod tests {
    use super::{super::super::scene::tests::now, *};
    use crate::llm::Message;

    fn answer_to(text: &str, before: &[Message]) -> Option<String> {
        answer(&Heard::new(text), &Scene::new(&now(), before))
    }

    fn conversation() -> Vec<Message> {
        vec![
            Message::User("Hello, my name is Alice.".into()),
            Message::Assistant("Nice to meet you, Alice.".into()),
            Message::User("What's 2 plus 2?".into()),
            Message::Assistant("2 plus 2 is 4.".into()),
            Message::User("My favourite colour is dark blue.".into()),
            Message::Assistant("All right.".into()),
            Message::User("Remember that the code is 1234.".into()),
            Message::Assistant("I will remember.".into()),
            Message::User("Go forward ten meters".into()),
            Message::Assistant("I cannot do that.".into()),
        ]
    }

    #[test]
    fn earlier_words_are_recalled() {
        for (text, expected) in [
            ("What did I say?", "You said: Go forward ten meters."),
            ("What did I just say?", "You said: Go forward ten meters."),
            ("What was my first question?", "The first thing you asked was: What's 2 plus 2?"),
            ("What did I say first?", "The first thing you said was: Hello, my name is Alice."),
            ("What did you say?", "I said: I cannot do that."),
            ("Could you repeat that, please?", "I said: I cannot do that."),
            ("What's my name?", "You told me your name is Alice."),
            ("What is my name again?", "You told me your name is Alice."),
            ("Do you remember my name?", "You told me your name is Alice."),
            ("Who am I?", "You told me your name is Alice."),
            ("What is my favorite color?", "You told me your favorite color is dark blue."),
            ("What did I say about the code?", "You said: Remember that the code is 1234."),
            ("What did I ask you to remember?", "You asked me to remember: the code is 1234."),
            ("What did I say about cats?", "I do not remember you saying anything about cats."),
            ("What is my address?", "You have not told me your address yet."),
        ] {
            assert_eq!(answer_to(text, &conversation()).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn nothing_is_made_up_at_the_start() {
        for (text, expected) in [
            ("What did I say?", NOTHING_YET),
            ("What did you say?", "I have not said anything yet."),
            ("What's my name?", "You have not told me your name yet."),
        ] {
            assert_eq!(answer_to(text, &[]).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn facts_are_acknowledged_in_the_persons_spelling() {
        for (text, expected) in [
            ("My name is Alice.", "Nice to meet you, Alice."),
            ("Hi, my name's Bob McCoy.", "Nice to meet you, Bob McCoy."),
            ("I'm Bob.", "Nice to meet you, Bob."),
            ("Call me Ishmael.", "Nice to meet you, Ishmael."),
            ("My dog is Rex.", "All right, your dog is Rex. I will remember that for this conversation."),
            ("Remember that the code is 1234.", "I will remember, for this conversation: the code is 1234."),
        ] {
            assert_eq!(answer_to(text, &[]).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn other_words_recall_nothing() {
        for text in [
            "Go forward ten meters.",
            "My goodness!",
            "What is love?",
            "Remember me?",
            "Is my name long?",
            "I'm tired.",
            "I'm British.",
        ] {
            assert_eq!(answer_to(text, &[]), None, "{text}");
        }
    }
}
