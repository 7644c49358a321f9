//! What speech-to-text told of one utterance, looked at.

use providers::{
    ProviderError,
    stt::{FinalTranscript, Transcript},
};

pub(crate) type Heard = Vec<Result<Transcript, ProviderError>>;

/// Partials, then exactly one final transcript or one error, which does not tell the secret; stable text only ever grows.
pub(crate) fn keeps_its_promises(heard: &Heard, secret: &str) {
    let mut stable = "";
    let (last, before) = heard.split_last().unwrap();
    for event in before {
        let Ok(Transcript::Partial { stable: now, .. }) = event else { panic!("{event:?} is not the last") };
        assert!(now.starts_with(stable), "{now:?} takes {stable:?} back");
        stable = now;
    }
    match last {
        Ok(Transcript::Final(last)) => assert!(last.text.starts_with(stable), "{:?} takes {stable:?} back", last.text),
        Ok(Transcript::Partial { .. }) => panic!("neither a final transcript nor an error"),
        Err(error) => assert!(!error.to_string().contains(secret), "{error}"),
    }
}

/// What was stable and what tentative, partial by partial.
pub(crate) fn partials(heard: &Heard) -> Vec<(&str, &str)> {
    let texts = heard.iter().filter_map(|event| match event {
        Ok(Transcript::Partial { stable, tentative }) => Some((stable.as_str(), tentative.as_str())),
        Ok(Transcript::Final(_)) | Err(_) => None,
    });
    texts.collect()
}

/// The final transcript.
pub(crate) fn last(heard: &Heard) -> &FinalTranscript {
    match heard.last() {
        Some(Ok(Transcript::Final(last))) => last,
        other => panic!("{other:?}"),
    }
}

/// The error it ended with.
pub(crate) fn failure(heard: &Heard) -> &ProviderError {
    heard.last().unwrap().as_ref().unwrap_err()
}
