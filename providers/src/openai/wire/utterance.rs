//! An utterance put together from what is said of its items.
//!
//! Deltas only ever append, so they are stable, but only as far as all before them is known: items may be understood out
//! of order. What comes after the first unfinished item is a guess about where it will stand.

use std::time::Duration;

use crate::stt::{FinalTranscript, Transcript};

#[derive(Default, Debug)]
pub(in crate::openai) struct Utterance {
    items: Vec<Item>,
    language: Option<String>,
    told: (String, String),
}

#[derive(Debug)]
struct Item {
    id: String,
    text: String,
    settled: bool,
}

impl Utterance {
    /// An item of this name is there, after all others.
    pub(in crate::openai) fn expect(&mut self, id: &str) {
        self.item(id);
    }

    /// An item says more.
    pub(in crate::openai) fn append(&mut self, id: &str, delta: &str) {
        let item = self.item(id);
        if !item.settled {
            item.text.push_str(delta);
        }
    }

    /// An item says all it will say. Should that take back what was told before, then what was told stands.
    pub(in crate::openai) fn settle(&mut self, id: &str, text: &str, language: Option<String>) {
        let item = self.item(id);
        let before = std::mem::replace(&mut item.text, text.trim().to_owned());
        item.settled = true;
        if !self.known().0.starts_with(&self.told.0) {
            tracing::debug!("a transcript takes back what was said of it");
            self.item(id).text = before;
        }
        self.language = self.language.take().or(language);
    }

    /// Whether nothing more is owed.
    pub(in crate::openai) fn is_settled(&self) -> bool {
        self.items.iter().all(|item| item.settled)
    }

    /// What is understood so far, if that changed since it was last told.
    pub(in crate::openai) fn partial(&mut self) -> Option<Transcript> {
        let now = self.known();
        if now == self.told {
            return None;
        }
        self.told.clone_from(&now);
        Some(Transcript::Partial { stable: now.0, tentative: now.1 })
    }

    /// Everything. `language` is what was asked for.
    pub(in crate::openai) fn finish(self, language: Option<String>, duration: Duration) -> FinalTranscript {
        let language = self.language.or(language);
        FinalTranscript { text: joined(&self.items), language, duration, ..FinalTranscript::default() }
    }

    /// What is stable, and what comes after.
    fn known(&self) -> (String, String) {
        let open = self.items.iter().position(|item| !item.settled).map_or(self.items.len(), |open| open + 1);
        let (known, later) = self.items.split_at(open);
        (joined(known), joined(later))
    }

    fn item(&mut self, id: &str) -> &mut Item {
        let at = self.items.iter().position(|item| item.id == id).unwrap_or_else(|| {
            self.items.push(Item { id: id.to_owned(), text: String::new(), settled: false });
            self.items.len() - 1
        });
        &mut self.items[at]
    }
}

fn joined(items: &[Item]) -> String {
    let texts = items.iter().map(|item| item.text.trim()).filter(|text| !text.is_empty());
    texts.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partial(stable: &str, tentative: &str) -> Option<Transcript> {
        Some(Transcript::Partial { stable: stable.to_owned(), tentative: tentative.to_owned() })
    }

    #[test]
    fn deltas_are_stable_up_to_the_first_item_that_is_open() {
        let mut utterance = Utterance::default();
        assert_eq!(utterance.partial(), None);
        utterance.expect("a");
        utterance.append("b", "Later.");
        assert_eq!(utterance.partial(), partial("", "Later."));
        utterance.append("a", " Go");
        utterance.append("a", " for");
        assert_eq!(utterance.partial(), partial("Go for", "Later."));
        assert_eq!(utterance.partial(), None, "told once");
        utterance.settle("b", "Later.", None);
        assert!(!utterance.is_settled());
        utterance.settle("a", "Go forward.", Some("en".into()));
        utterance.append("a", "stray");
        assert_eq!(utterance.partial(), partial("Go forward. Later.", ""));
        assert!(utterance.is_settled());
        let last = utterance.finish(Some("de".into()), Duration::from_secs(1));
        assert_eq!((last.text.as_str(), last.language.as_deref()), ("Go forward. Later.", Some("en")));
    }

    #[test]
    fn what_was_told_is_not_taken_back() {
        let mut utterance = Utterance::default();
        utterance.append("a", "Go for");
        assert_eq!(utterance.partial(), partial("Go for", ""));
        utterance.settle("a", "Gopher", None);
        assert_eq!(utterance.finish(None, Duration::ZERO).text, "Go for");
        let mut untold = Utterance::default();
        untold.append("a", "Go for");
        untold.settle("a", "Gopher", None);
        assert_eq!(untold.finish(None, Duration::ZERO).text, "Gopher");
    }

    proptest::proptest! {
        #[test]
        fn stable_text_is_append_only_and_starts_the_final_text(
            steps in proptest::collection::vec((0..3usize, 0..3usize, "[a-c ]{0,3}"), 0..30),
        ) {
            let (mut utterance, mut before) = (Utterance::default(), String::new());
            // Items come in the order of the utterance.
            let mut known = 0;
            for (step, id, text) in steps {
                let id = id.min(known);
                known = known.max(id + 1);
                let name = id.to_string();
                match step {
                    0 => utterance.expect(&name),
                    1 => utterance.append(&name, &text),
                    _ => utterance.settle(&name, &text, None),
                }
                if let Some(Transcript::Partial { stable, .. }) = utterance.partial() {
                    proptest::prop_assert!(stable.starts_with(&before), "{:?} {:?}", before, stable);
                    before = stable;
                }
            }
            proptest::prop_assert!(utterance.finish(None, Duration::ZERO).text.starts_with(&before));
        }
    }
}
