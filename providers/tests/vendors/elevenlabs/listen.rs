//! Speech-to-text.

use super::*;

#[tokio::test]
async fn an_utterance_is_transcribed_with_its_words() {
    let mut vendor = Vendor::start(&[TRANSCRIPT]).await;
    let transcripts: Vec<_> = hear(&ear(&vendor.base_url), 8).await.unwrap().into_iter().map(Result::unwrap).collect();
    let partial =
        |stable: &str, tentative: &str| Transcript::Partial { stable: stable.into(), tentative: tentative.into() };
    let (last, partials) = transcripts.split_last().unwrap();
    assert_eq!(partials[..2], [partial("", "go forward"), partial("", "Go forward ten")]);
    let Transcript::Final(FinalTranscript { text, language, words, segments, duration }) = last else { panic!() };
    assert_eq!((&**text, language.as_deref()), ("Go forward ten meters.", Some("en")));
    assert_eq!(words.iter().map(|word| &*word.text).collect::<Vec<_>>(), ["Go", "forward", "ten", "meters."]);
    assert_eq!((words[0].start, segments.len()), (Duration::from_millis(50), 1));
    assert!(words.iter().all(|word| word.end <= *duration), "no word is in the silence");
    assert_eq!(*duration, Duration::from_millis(160), "the silence added for the vendor does not count");
    assert_eq!(timeout(LONG, vendor.end()).await.unwrap(), Ok(()));

    let head = vendor.handshakes.lock().unwrap()[0].clone();
    let path = "/v1/speech-to-text/realtime?model_id=scribe_v2_realtime&audio_format=pcm_16000&commit_strategy=manual&include_timestamps=true&include_language_detection=true";
    assert!(head.starts_with(path) && head.contains("xi-api-key: sk_tiger"), "{head}");
    let texts = vendor.texts.lock().unwrap().clone();
    let lengths = texts
        .iter()
        .map(|text| serde_json::from_str::<Value>(text).unwrap())
        .map(|message| BASE64_STANDARD.decode(message["audio_base_64"].as_str().unwrap()).unwrap().len());
    assert_eq!(lengths.collect::<Vec<_>>(), [8 * 640, 12 * 640], "filled up to more than 0.3 seconds");
}

#[tokio::test]
async fn a_prompt_goes_as_text_before_or_as_key_terms() {
    let prompt = "Hibari, Aoife, and a sentence that goes on for far more than fifty characters.";
    let options = SttOptions { prompt: Some(prompt.into()), language: Some("de-AT".into()), ..SttOptions::default() };
    let empty = "> {\"commit\":true}\n< {\"message_type\":\"committed_transcript\",\"text\":\"\"}\n> close";
    let vendor = Vendor::start(&[empty]).await;
    for keyterms in [false, true] {
        let config = Arc::new(Config { keyterms, ..config(&vendor.base_url) });
        let ear = SpeechToText::new("e", "scribe_v2_realtime", config);
        let transcripts: Vec<_> = ear.transcribe(options.clone(), frames(1)).await.unwrap().collect().await;
        let [Ok(Transcript::Final(whole))] = &transcripts[..] else { panic!("{transcripts:?}") };
        assert_eq!((&*whole.text, whole.language.as_deref()), ("", Some("de")));
    }
    let texts = vendor.texts.lock().unwrap().clone();
    assert!(
        texts[0].contains("\"previous_text\":\"Hibari, Aoife, and a sentence that goes on for far\""),
        "{}",
        texts[0]
    );
    assert!(!texts[1].contains("previous_text"));
    let heads = vendor.handshakes.lock().unwrap().clone();
    assert!(!heads[0].contains("keyterms") && heads[0].contains("language_code=de"), "{}", heads[0]);
    assert!(heads[1].contains("keyterms=Hibari&keyterms=Aoife"), "{}", heads[1]);
}

#[tokio::test]
async fn a_transcript_without_details_or_without_enough_sound_still_ends() {
    let committed = r#"< {"message_type":"committed_transcript","text":"Yes."}"#;
    for (steps, expected) in [
        (format!("> {{\"commit\":true}}\n{committed}\n= hang"), "Yes."),
        (format!("> {{\"commit\":true}}\n{committed}\n< close 1000"), "Yes."),
        (format!("{committed}\n> {{\"commit\":true}}\n< {{\"message_type\":\"commit_throttled\",\"error\":\"Commit request ignored\"}}\n= hang"), "Yes."),
        ("> {\"commit\":true}\n< {\"message_type\":\"commit_throttled\",\"error\":\"Commit request ignored\"}\n= hang".to_owned(), ""),
    ] {
        let vendor = Vendor::start(&[&steps]).await;
        let transcripts = hear(&ear(&vendor.base_url), 1).await.unwrap();
        let Some(Ok(Transcript::Final(whole))) = transcripts.last() else { panic!("{steps}: {transcripts:?}") };
        assert_eq!(whole.text, expected, "{steps}");
    }
}

#[tokio::test]
async fn long_utterances_are_committed_at_a_hush() {
    let quiet = 30 * 50;
    let sound = stream::iter(
        (0..32 * 50).map(move |n| if n < quiet { Frame([3_000; Frame::SAMPLES]) } else { Frame::SILENCE }),
    );
    let vendor = Scribe::start().await;
    let transcripts: Vec<_> = ear(&vendor.base_url).transcribe(interim(), sound.boxed()).await.unwrap().collect().await;
    let Some(Ok(Transcript::Final(whole))) = transcripts.last() else { panic!("{transcripts:?}") };
    assert_eq!((&*whole.text, whole.duration), ("Part 1. Part 2.", Duration::from_secs(32)));
    let stables = transcripts.iter().filter_map(|transcript| match transcript {
        Ok(Transcript::Partial { stable, .. }) => Some(stable.as_str()),
        Ok(Transcript::Final(_)) | Err(_) => None,
    });
    assert!(stables.collect::<Vec<_>>().contains(&"Part 1."));
}

#[tokio::test]
async fn errors_in_a_transcription_say_what_one_can_do() {
    for (step, kind) in [
        (r#"< {"message_type":"auth_error","error":"Invalid API key sk_tiger"}"#, ErrorKind::Unauthorized),
        (r#"< {"message_type":"quota_exceeded","error":"Spent"}"#, ErrorKind::RateLimited),
        (r#"< {"message_type":"queue_overflow","error":"Too fast"}"#, ErrorKind::RateLimited),
        (r#"< {"message_type":"chunk_size_exceeded","error":"Too long"}"#, ErrorKind::Rejected),
        (r#"< {"message_type":"transcriber_error","error":"Oops"}"#, ErrorKind::Unavailable),
        (r#"< {"message_type":"session_time_limit_exceeded","error":"Over"}"#, ErrorKind::Timeout),
        ("< hello", ErrorKind::Protocol),
        ("< close 1008 You need to accept the terms: unaccepted_terms", ErrorKind::Unauthorized),
        ("< close 1000", ErrorKind::Unavailable),
        ("= reset", ErrorKind::Unavailable),
    ] {
        let vendor = Vendor::start(&[&format!("> {{\"commit\":false}}\n{step}")]).await;
        let transcripts = hear(&ear(&vendor.base_url), 500).await.unwrap();
        let [Err(error)] = &transcripts[..] else { panic!("{step}: {transcripts:?}") };
        assert_eq!(error.kind, kind, "{step}: {error}");
        assert!(!error.to_string().contains("tiger"), "{error}");
    }
}

#[tokio::test]
async fn a_transcription_reset_at_any_message_ends_in_one_error() {
    let steps: Vec<&str> = TRANSCRIPT.lines().filter(|line| !line.starts_with('#')).collect();
    for count in 0..steps.len() {
        let vendor = Vendor::start(&[&[&steps[..count], &["= reset"]].concat().join("\n")]).await;
        let transcripts = hear(&ear(&vendor.base_url), 8).await.unwrap();
        let (last, before) = transcripts.split_last().unwrap();
        assert!(before.iter().all(|step| matches!(step, Ok(Transcript::Partial { .. }))), "{count}");
        let whole = matches!(last, Ok(Transcript::Final(_)));
        assert!(whole == (count == steps.len() - 1) || last.is_err(), "{count}: {last:?}");
    }
}

#[tokio::test]
async fn dropping_a_transcription_leaves_the_vendor_at_once() {
    let mut vendor =
        Vendor::start(&["> {\"commit\":false}\n< {\"message_type\":\"partial_transcript\",\"text\":\"go\"}\n= hang"])
            .await;
    let audio = frames(5).chain(stream::pending()).boxed();
    let mut transcripts = ear(&vendor.base_url).transcribe(interim(), audio).await.unwrap();
    assert!(timeout(LONG, transcripts.next()).await.unwrap().unwrap().is_ok());
    drop(transcripts);
    assert_eq!(at_once(vendor.end()).await, Ok(()));
}

#[tokio::test]
async fn a_vendor_that_does_not_read_holds_the_audio_back_and_is_still_heard() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("ws://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut socket = accept_async(listener.accept().await.unwrap().0).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        let partial = r#"{"message_type":"partial_transcript","text":"go"}"#;
        socket.send(Message::Text(partial.into())).await.unwrap();
        std::future::pending::<()>().await;
    });
    let taken = Arc::new(AtomicUsize::new(0));
    let counter = taken.clone();
    let audio = stream::repeat_with(move || {
        counter.fetch_add(1, Ordering::SeqCst);
        Frame::SILENCE
    });
    let mut transcripts = ear(&base_url).transcribe(interim(), audio.boxed()).await.unwrap();
    let partial = timeout(LONG, transcripts.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(partial, Transcript::Partial { stable: String::new(), tentative: "go".into() });
    assert!(timeout(Duration::from_millis(300), transcripts.next()).await.is_err());
    let before = taken.load(Ordering::SeqCst);
    assert!(timeout(Duration::from_millis(100), transcripts.next()).await.is_err());
    assert_eq!(taken.load(Ordering::SeqCst), before, "audio is taken although nobody reads it");
}
