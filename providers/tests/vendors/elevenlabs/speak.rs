//! Text-to-speech.

use super::*;

#[tokio::test]
async fn clauses_are_spoken_in_order_with_their_words() {
    let mut vendor = Vendor::start(&[SPEECH]).await;
    let mouth = mouth(&vendor.base_url);
    let speech: Vec<_> =
        say(&mouth, &["Hi there.", "How are you?"]).await.unwrap().into_iter().map(Result::unwrap).collect();
    let expected = [
        word(0, 0..2, 0, 100),
        sound(0, &[0, 1, 2, 3]),
        word(0, 3..9, 150, 450),
        sound(0, &[4, 5]),
        Speech::ClauseDone { clause: 0 },
        word(1, 0..3, 0, 30),
        word(1, 4..7, 40, 70),
        word(1, 8..12, 80, 120),
        sound(1, &[10, 11]),
        sound(1, &[12]),
        Speech::ClauseDone { clause: 1 },
    ];
    assert_eq!(speech, expected);
    assert_eq!(timeout(LONG, vendor.end()).await.unwrap(), Ok(()));
    let head = vendor.handshakes.lock().unwrap()[0].clone();
    let path =
        "/v1/text-to-speech/JBFqnCBsd6RMkjVDRZzb/multi-stream-input?model_id=eleven_flash_v2_5&output_format=pcm_24000";
    assert!(head.starts_with(path), "{head}");
    for part in ["auto_mode=true", "sync_alignment=true", "language_code=en\n", "xi-api-key: sk_tiger"] {
        assert!(head.contains(part), "{part}: {head}");
    }
    assert!(!head.lines().next().unwrap().contains("tiger"));
}

#[tokio::test]
async fn oddities_do_no_harm() {
    let mut vendor = Vendor::start(&[ODD]).await;
    let speech: Vec<_> =
        say(&mouth(&vendor.base_url), &["Hi you"]).await.unwrap().into_iter().map(Result::unwrap).collect();
    let expected = [
        word(0, 0..2, 0, 50),
        sound(0, &[1]),
        sound(0, &[2, 3]),
        word(0, 3..6, 60, 90),
        sound(0, &[4]),
        Speech::ClauseDone { clause: 0 },
    ];
    assert_eq!(speech, expected);
    assert_eq!(timeout(LONG, vendor.end()).await.unwrap(), Ok(()));
}

#[tokio::test]
async fn nothing_to_say_is_done_without_a_word_to_the_vendor() {
    let mut vendor = Vendor::start(&["> close"]).await;
    let speech: Vec<_> =
        say(&mouth(&vendor.base_url), &["…", "", " \n"]).await.unwrap().into_iter().map(Result::unwrap).collect();
    assert_eq!(speech, [0, 1, 2].map(|clause| Speech::ClauseDone { clause }));
    assert_eq!(timeout(LONG, vendor.end()).await.unwrap(), Ok(()));
}

#[tokio::test]
async fn a_long_clause_is_split_and_stays_one_clause() {
    let vendor = Speaker::start().await;
    let text = format!("{} The end.", "A sentence of seven words, more or less. ".repeat(300));
    let speech: Vec<_> =
        say(&mouth(&vendor.base_url), &[&text, "Short."]).await.unwrap().into_iter().map(Result::unwrap).collect();
    let done: Vec<_> = speech.iter().filter(|step| matches!(step, Speech::ClauseDone { .. })).collect();
    assert_eq!(done, [&Speech::ClauseDone { clause: 0 }, &Speech::ClauseDone { clause: 1 }]);
    let said = vendor.said.lock().unwrap().clone();
    assert!(said.len() == 4 && said.iter().all(|text| text.chars().count() <= 5_001), "{}", said.len());
    let words: Vec<_> = speech
        .iter()
        .filter_map(|step| match step {
            Speech::Word { clause: 0, range, start, .. } => Some((&text[range.clone()], *start)),
            Speech::Word { .. } | Speech::Audio { .. } | Speech::ClauseDone { .. } => None,
        })
        .collect();
    assert_eq!(words.iter().map(|(word, _)| *word).collect::<Vec<_>>(), text.split_whitespace().collect::<Vec<_>>());
    assert!(words.is_sorted_by_key(|(_, start)| *start));
    // Ten milliseconds a character, the vendor's closing blanks among them.
    let last = words.last().unwrap().1;
    assert!(last.abs_diff(Duration::from_millis(10 * text.len() as u64)) < Duration::from_millis(500), "{last:?}");
}

#[tokio::test]
async fn each_context_is_closed_once_it_sounds_so_that_few_are_open() {
    let vendor = Speaker::start().await;
    let texts: Vec<String> = (0..20).map(|n| format!("This is clause number {n}.")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let speech = say(&mouth(&vendor.base_url), &texts).await.unwrap();
    let done = speech.into_iter().map(Result::unwrap).filter_map(|step| match step {
        Speech::ClauseDone { clause } => Some(clause),
        Speech::Audio { .. } | Speech::Word { .. } => None,
    });
    assert_eq!(done.collect::<Vec<_>>(), (0..20).collect::<Vec<_>>());
    assert_eq!(vendor.most.load(Ordering::SeqCst), 1, "the vendor allows five");
}

#[tokio::test]
async fn a_context_that_ends_without_sound_is_a_failure_and_no_clause() {
    let silent = "> {\"text\":\" \"}\n> {\"flush\":true}\n< {\"isFinal\":true,\"contextId\":\"0-0\"}\n= hang";
    let vendor = Vendor::start(&[silent]).await;
    let speech = say(&mouth(&vendor.base_url), &["Hello."]).await.unwrap();
    assert_eq!(speech.len(), 1);
    assert_eq!(speech[0].as_ref().unwrap_err().kind, ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_connection_that_ends_between_clauses_costs_nothing() {
    let say = |context: &str, end: &str| {
        format!(
            "> {{\"text\":\" \",\"context_id\":\"{context}\"}}\n> {{\"flush\":true}}\n\
             < {{\"audio\":\"AAABAA==\",\"contextId\":\"{context}\"}}\n> {{\"close_context\":true}}\n\
             < {{\"isFinal\":true,\"contextId\":\"{context}\"}}\n{end}"
        )
    };
    // Idle; then just as the next clause is asked for; then for good.
    let first = say("0-0", "< close 1000");
    let second = format!("{}\n> {{\"text\":\" \"}}\n< close 1008 input_timeout_exceeded", say("1-1", ""));
    let mut vendor = Vendor::start(&[&first, &second, &say("2-3", "= reset")]).await;
    let (clauses, text) = tokio::sync::mpsc::channel(4);
    let text = tokio_stream::wrappers::ReceiverStream::new(text).boxed();
    let mut speech = mouth(&vendor.base_url).speak(voice(), text).await.unwrap();
    let give = async |id: u32| clauses.send(Clause { id, text: "Yes.".into() }).await.unwrap();
    give(0).await;
    let mut steps = Vec::new();
    while steps.last() != Some(&Speech::ClauseDone { clause: 0 }) {
        steps.push(timeout(LONG, speech.next()).await.unwrap().unwrap().unwrap());
    }
    assert!(timeout(Duration::from_millis(50), speech.next()).await.is_err(), "nothing is owed");
    assert_eq!(timeout(LONG, vendor.end()).await.expect("the connection is let go"), Ok(()));
    give(1).await;
    give(2).await;
    drop(clauses);
    let rest: Vec<_> = timeout(LONG, speech.collect()).await.unwrap();
    let rest: Vec<_> = rest.into_iter().map(Result::unwrap).collect();
    let clause = |clause| [sound(clause, &[0, 1]), Speech::ClauseDone { clause }];
    assert_eq!(rest, [clause(1), clause(2)].concat());
    assert_eq!(vendor.handshakes.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn a_clause_without_end_is_given_up() {
    let flood = Flood::start(|_| {
        let second = BASE64_STANDARD.encode(vec![0_u8; 48_000]);
        json!({"audio": second, "contextId": "0-0"}).to_string()
    })
    .await;
    let speech = say(&mouth(&flood.base_url), &["Hello."]).await.unwrap();
    assert_eq!(speech.last().unwrap().as_ref().unwrap_err().kind, ErrorKind::Protocol);
    assert_eq!(speech.len(), 67, "a minute, and a second a character");
}

#[tokio::test]
async fn errors_in_a_speech_say_what_one_can_do() {
    for (step, kind) in [
        (
            r#"< {"message":"This request exceeds your quota of 10000.","error":"quota_exceeded","code":1008}"#,
            ErrorKind::RateLimited,
        ),
        (r#"< {"error":"A voice for the voice_id sk_tiger does not exist."}"#, ErrorKind::Rejected),
        ("< close 1008 Maximum simultaneous contexts exceeded (5).", ErrorKind::RateLimited),
        ("< close 1008 Have not received a new text input within the timeout of 20 seconds.", ErrorKind::Timeout),
        ("< close 1008 Invalid API key", ErrorKind::Unauthorized),
        ("< close 1011 Internal error", ErrorKind::Unavailable),
        ("< close 1000", ErrorKind::Unavailable),
        ("= reset", ErrorKind::Unavailable),
        ("< <html>no</html>", ErrorKind::Protocol),
        (r#"< {"audio":"not base64!","contextId":"0-0"}"#, ErrorKind::Protocol),
    ] {
        let vendor = Vendor::start(&[&format!("> {{\"text\":\" \"}}\n> {{\"flush\":true}}\n{step}")]).await;
        let speech = say(&mouth(&vendor.base_url), &["Hello.", "More."]).await.unwrap();
        let [Err(error)] = &speech[..] else { panic!("{step}: {speech:?}") };
        assert_eq!(error.kind, kind, "{step}: {error}");
        assert!(!error.to_string().contains("tiger"), "{error}");
    }
}

#[tokio::test]
async fn a_speech_reset_at_any_message_ends_in_one_error() {
    let steps: Vec<&str> = SPEECH.lines().filter(|line| !line.starts_with('#')).collect();
    for count in 0..steps.len() {
        let cut = [&steps[..count], &["= reset"]].concat().join("\n");
        let vendor = Vendor::start(&[&cut]).await;
        let speech = say(&mouth(&vendor.base_url), &["Hi there.", "How are you?"]).await.unwrap();
        let errors = speech.iter().filter(|step| step.is_err()).count();
        let done = speech.iter().filter(|step| matches!(step, Ok(Speech::ClauseDone { .. }))).count();
        let finals = steps[..count].iter().filter(|step| step.contains("\"isFinal\":true")).count();
        assert!(done <= finals && errors == usize::from(done < 2), "{count}: {speech:?}");
        assert!(errors == 0 || speech.last().unwrap().is_err(), "{count}");
    }
}

#[tokio::test]
async fn dropping_a_speech_leaves_the_vendor_at_once() {
    let (until_sound, _) = SPEECH.split_once("> {\"context_id\":\"0-0\",\"close_context\"").unwrap();
    let cassette = until_sound.to_owned() + "= hang";
    let mut vendor = Vendor::start(&[&cassette]).await;
    let mut speech = mouth(&vendor.base_url).speak(voice(), clauses(&["Hi there.", "More."])).await.unwrap();
    assert!(timeout(LONG, speech.next()).await.unwrap().unwrap().is_ok());
    drop(speech);
    assert_eq!(at_once(vendor.end()).await, Ok(()));
}

#[tokio::test]
async fn a_reader_that_waits_holds_the_vendor_back() {
    let flood = Flood::start(|n| {
        let chunk = BASE64_STANDARD.encode(vec![0_u8; 48_000]);
        json!({"audio": chunk, "contextId": "0-0", "number": n}).to_string()
    })
    .await;
    let mut speech = mouth(&flood.base_url).speak(voice(), clauses(&["Hello."])).await.unwrap();
    assert!(timeout(LONG, speech.next()).await.unwrap().unwrap().is_ok());
    let sent = flood.settled().await;
    assert!(sent < 400, "{sent} seconds of sound were taken unread");
    drop(speech);
}
