use futures_util::stream;

use super::*;
use crate::{
    ErrorKind,
    llm::Finish,
    passage::{Passage, tests::passage},
};

/// Says these thoughts.
struct Says(Vec<Result<Thought, ProviderError>>);

impl LanguageModel for Says {
    fn capabilities(&self) -> LlmCapabilities {
        LlmCapabilities::default()
    }

    fn reply(&self, _: Prompt) -> BoxFuture<'_, Result<ThoughtStream, ProviderError>> {
        let thoughts = self.0.clone();
        async { Ok(stream::iter(thoughts).boxed()) }.boxed()
    }
}

/// What comes of these words, given these passages.
async fn said(words: &[&str], passages: &[Arc<Passage>]) -> (String, Vec<Citation>) {
    let mut thoughts: Vec<_> = words.iter().map(|word| Ok(Thought::Text((*word).to_owned()))).collect();
    thoughts.push(Ok(Thought::Finished(Finish::Stop)));
    let prompt = Prompt { passages: Some(passages.into()), ..Prompt::default() };
    let reply = Cited::new(Arc::new(Says(thoughts))).reply(prompt).await.unwrap();
    let (mut text, mut citations) = (String::new(), Vec::new());
    let thoughts: Vec<_> = reply.map(Result::unwrap).collect().await;
    assert_eq!(thoughts.last(), Some(&Thought::Finished(Finish::Stop)));
    for thought in thoughts {
        match thought {
            Thought::Text(words) => text.push_str(&words),
            Thought::Cited(citation) => citations.push(citation),
            Thought::Finished(_) => {}
            Thought::Acted(_)
            | Thought::CallStarted { .. }
            | Thought::CallArguments(_)
            | Thought::CallDone
            | Thought::Usage(_) => {
                panic!("nothing else is said")
            }
        }
    }
    (text, citations)
}

#[tokio::test]
async fn what_is_cited_was_retrieved_and_is_told_once_with_its_words() {
    let passages = [passage("A", "Rain falls in Oslo. Snow falls in Tromsø."), passage("B", "Bergen is wet.")];
    let words = ["Snow falls in Tromsø [", "1", "]. Bergen is wet [2][7], too [1]", ". It never ends [3]."];
    let (text, citations) = said(&words, &passages).await;
    assert_eq!(text, "Snow falls in Tromsø [1]. Bergen is wet [2], too [1]. It never ends.");
    let told: Vec<_> = citations.iter().map(|citation| (citation.number, citation.quote.as_str())).collect();
    assert_eq!(told, [(1, "Snow falls in Tromsø."), (2, "Bergen is wet.")]);
    assert!(Arc::ptr_eq(&citations[1].passage, &passages[1]));
}

#[tokio::test]
async fn without_passages_nothing_is_touched() {
    let (text, citations) = said(&["See [1] and", " [9", "]"], &[]).await;
    assert_eq!((text.as_str(), citations), ("See [1] and [9]", vec![]));
}

#[tokio::test]
async fn what_was_held_back_comes_before_a_failure() {
    let lost = ProviderError::new("test", ErrorKind::Unavailable, "gone");
    let says = Says(vec![Ok(Thought::Text("cut [1".into())), Err(lost.clone())]);
    let prompt = Prompt { passages: Some([passage("A", "x")].into()), ..Prompt::default() };
    let thoughts: Vec<_> = Cited::new(Arc::new(says)).reply(prompt).await.unwrap().collect().await;
    let text = thoughts
        .iter()
        .filter_map(|thought| if let Ok(Thought::Text(text)) = thought { Some(text.as_str()) } else { None });
    assert_eq!(text.collect::<String>(), "cut [1");
    assert_eq!(thoughts.last(), Some(&Err(lost)));
}
