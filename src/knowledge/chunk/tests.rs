use proptest::prelude::*;

use super::{tokens::estimate, *};

fn texts(chunks: &[Chunk]) -> Vec<&str> {
    chunks.iter().map(|chunk| chunk.text.as_str()).collect()
}

/// So many different sentences of about fourteen tokens.
fn prose(sentences: usize) -> String {
    (0..sentences).map(|n| format!("Patient {n} was seen in the morning and left before noon. ")).collect()
}

#[test]
fn a_passage_begins_with_each_heading_and_each_page() {
    let text =
        "# Warfarin\n\n## Dose\nFive milligrams a day.\n\n## Interactions\nAspirin.\u{c}Vitamin K reverses it.\n";
    let found = chunks(text);
    assert_eq!(
        texts(&found),
        ["# Warfarin\n\n## Dose\nFive milligrams a day.", "## Interactions\nAspirin.", "Vitamin K reverses it."]
    );
    assert_eq!(found.iter().map(|chunk| chunk.page).collect::<Vec<_>>(), [Some(1), Some(1), Some(2)]);
    assert_eq!(
        found.iter().map(|chunk| chunk.heading.as_deref()).collect::<Vec<_>>(),
        [None, None, Some("Interactions")]
    );
}

#[test]
fn a_short_line_that_stands_alone_is_a_heading() {
    let found = chunks("Intake was low.\n\nAdverse effects\n\nNausea was common.\n\nit rained\n\nNothing else.");
    assert_eq!(
        texts(&found),
        ["Intake was low.", "Adverse effects\n\nNausea was common.\n\nit rained\n\nNothing else."]
    );
}

#[test]
fn long_prose_is_cut_between_sentences_and_what_stands_at_the_seam_is_repeated() {
    let text = format!("## Visits\n{}", prose(60));
    let found = chunks(&text);
    assert!(found.len() > 3, "{}", found.len());
    for pair in found.windows(2) {
        assert!(pair[0].text.ends_with('.') && pair[1].text.starts_with("Patient"), "{:?}", pair[1].text);
        assert!(pair[1].start < pair[0].end && pair[1].end > pair[0].end, "the seam is in both");
        assert_eq!(pair[1].heading.as_deref(), Some("Visits"));
    }
}

#[test]
fn a_sentence_that_runs_over_a_page_is_whole_in_the_passage_of_the_second() {
    let found = chunks("It rained. The dose was\u{c}raised to six milligrams. It stopped.");
    assert_eq!(texts(&found), ["It rained. The dose was", "The dose was\u{c}raised to six milligrams. It stopped."]);
    assert_eq!(found[1].page, Some(2));
}

#[test]
fn lines_of_lists_and_tables_stand_for_themselves() {
    let found = pieces("Take:\n- one in the morning\n- two at night\nname\tdose\naspirin\t100");
    assert_eq!(found.len(), 5, "{found:?}");
}

#[test]
fn a_megabyte_without_a_blank_is_cut_to_size() {
    let text = "x".repeat(1 << 20);
    let found = chunks(&text);
    assert!(found.iter().all(|chunk| estimate(&chunk.text) <= TARGET));
    assert_eq!(found.iter().map(|chunk| chunk.text.len()).sum::<usize>(), text.len());
}

#[test]
fn what_is_embedded_tells_what_it_is_about() {
    let chunk = Chunk { text: "Half.".into(), heading: Some("Children".into()), page: None, start: 0, end: 5 };
    assert_eq!(chunk.in_context(Some("Warfarin")), "Warfarin\nChildren\nHalf.");
    assert_eq!(chunk.in_context(None), "Children\nHalf.");
    let whole = Chunk { text: "# Warfarin\nHalf.".into(), heading: None, ..chunk };
    assert_eq!(whole.in_context(Some("Warfarin")), whole.text);
}

#[test]
fn a_blank_text_has_no_passages() {
    assert_eq!(chunks(" \n\u{c}\n\t"), []);
}

proptest! {
    #[test]
    fn spans_reproduce_the_text_cover_it_and_are_bounded(
        text in "([A-Za-z]{1,14}[ .,]{1,2}|[0-9]{1,4} |\n|\n\n|# |\u{c}|é+ |血圧。|[^\\s]{0,20}| {1,3}|x{250,300}){0,300}",
    ) {
        let characters: Vec<char> = text.chars().collect();
        let found = chunks(&text);
        let mut covered = vec![false; characters.len()];
        for chunk in &found {
            prop_assert_eq!(characters[chunk.start..chunk.end].iter().collect::<String>(), chunk.text.as_str());
            prop_assert_eq!(chunk.text.trim(), chunk.text.as_str());
            prop_assert!(estimate(&chunk.text) <= TARGET + OVERLAP, "{} tokens", estimate(&chunk.text));
            covered[chunk.start..chunk.end].fill(true);
        }
        for (c, covered) in characters.iter().zip(covered) {
            prop_assert!(covered || c.is_whitespace(), "{:?} is in no passage", c);
        }
        let places: Vec<_> = found.iter().map(|chunk| (chunk.start, chunk.end)).collect();
        prop_assert!(places.is_sorted() && places.windows(2).all(|pair| pair[0].1 < pair[1].1));
    }

    #[test]
    fn no_word_of_a_language_is_cut(text in "([a-zé]{1,20}[.,;]?[ \n]){0,400}") {
        let characters: Vec<char> = text.chars().collect();
        for chunk in chunks(&text) {
            let inside = |at: usize| characters.get(at).is_some_and(|c| c.is_alphanumeric());
            prop_assert!(chunk.start == 0 || !inside(chunk.start - 1));
            prop_assert!(!inside(chunk.end));
        }
    }
}
