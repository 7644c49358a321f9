//! What the person's documents say: the sentences that fit, honestly introduced, with the number of their passage.

use std::{cmp::Reverse, collections::BTreeMap};

use super::super::heard::Heard;
use crate::{
    passage::{Passage, Passages},
    quoted,
    sentences::sentences,
};

/// Relevance from which a passage is taken to be about what was asked, even where a rule would answer too.
const SURE: u8 = 75;
/// … from which it likely answers …
const LIKELY: u8 = 50;
/// … and from which it is told where no rule answers: what has nothing to do with a question stays below.
const FITS: u8 = 20;
/// How much less relevant others may be to be told with the first.
const BEHIND: u8 = 25;
/// Words of an excerpt at most: most passages are told whole.
const LONGEST: usize = 120;
/// … and of one of the others.
const OTHER: usize = 80;
/// Others that are told with the first.
const OTHERS: usize = 3;

/// What the documents say about it, if they surely do.
pub(super) fn sure(heard: &Heard, passages: Option<&Passages>) -> Option<String> {
    from(heard, passages?, SURE)
}

/// What the documents say about it.
pub(super) fn likely(heard: &Heard, passages: Option<&Passages>) -> Option<String> {
    from(heard, passages?, FITS)
}

/// That they say nothing about it, if they were searched and it is a question.
pub(super) fn nothing(heard: &Heard, passages: Option<&Passages>) -> Option<String> {
    passages.filter(|_| heard.is_question()).map(|_| "I found nothing about that in your documents.".to_owned())
}

/// What fits, if the best of it is as relevant as `least`.
fn from(heard: &Heard, passages: &Passages, least: u8) -> Option<String> {
    let mut fitting: Vec<_> = passages.iter().zip(1..).filter(|(passage, _)| passage.relevance >= FITS).collect();
    // Those that are as relevant stay in the order in which they were found.
    fitting.sort_by_key(|(passage, _)| Reverse(passage.relevance));
    let (first, number) = *fitting.first().filter(|(first, _)| first.relevance >= least)?;
    let found = if first.relevance >= LIKELY {
        "I found this"
    } else {
        "I am not sure that it answers you, but this is the nearest I found"
    };
    let mut said = format!("{found} in {}: {}", named(first), marked(&excerpt(&first.text, heard, LONGEST), number));
    let others = fitting.iter().skip(1).filter(|(other, _)| other.relevance + BEHIND >= first.relevance);
    for (other, number) in others.take(OTHERS) {
        let place =
            if other.document == first.document { "Further on".to_owned() } else { format!("And in {}", named(other)) };
        said.push_str(&format!(" {place}: {}", marked(&excerpt(&other.text, heard, OTHER), *number)));
    }
    Some(said)
}

/// The document by its title, and the page.
fn named(passage: &Passage) -> String {
    let title = passage
        .title
        .as_deref()
        .map_or_else(|| "your documents".to_owned(), |title| format!("\"{}\"", title.replace('"', "'")));
    passage.page.map_or_else(|| title.clone(), |page| format!("{title}, page {page}"))
}

/// The number before the stop that ends an excerpt.
fn marked(excerpt: &str, number: u32) -> String {
    let body = excerpt.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '.' | ';' | ':' | ','));
    format!("{body} [{number}].")
}

/// The sentences of a passage that fit a question best, at most so many words of them.
fn excerpt(text: &str, heard: &Heard, most: usize) -> String {
    let plain: Vec<String> = sentences(text).into_iter().map(plain).filter(|sentence| !sentence.is_empty()).collect();
    if plain.is_empty() {
        return quoted::one_line(text.trim_start_matches('#'));
    }
    let lengths: Vec<usize> = plain.iter().map(|sentence| sentence.split(' ').count()).collect();
    if lengths.iter().sum::<usize>() <= most {
        return plain.join(" ");
    }
    let Some(best) = best(&plain, heard) else { return text.to_owned() };
    // What follows a sentence explains it more often than what precedes it.
    let (mut from, mut to, mut words) = (best, best + 1, lengths[best]);
    while to < plain.len() && words + lengths[to] <= most {
        words += lengths[to];
        to += 1;
    }
    while from > 0 && words + lengths[from - 1] <= most {
        from -= 1;
        words += lengths[from];
    }
    plain[from..to].join(" ")
}

/// The sentence that has most of the question's words, those counting most that few sentences have.
fn best(plain: &[String], heard: &Heard) -> Option<usize> {
    let asked: Vec<String> = heard.words().iter().map(|word| stem(&word.text)).filter(|stem| stem.len() > 2).collect();
    let stems: Vec<Vec<String>> = plain.iter().map(|sentence| stems(sentence)).collect();
    let mut among: BTreeMap<&str, usize> = BTreeMap::new();
    for stem in &asked {
        among.insert(stem, stems.iter().filter(|sentence| sentence.contains(stem)).count());
    }
    let score = |sentence: &Vec<String>| -> f64 {
        let found = among.iter().filter(|(stem, _)| sentence.iter().any(|other| other == *stem));
        found.map(|(_, count)| 1.0 / *count as f64).sum()
    };
    let scores: Vec<f64> = stems.iter().map(score).collect();
    (0..plain.len()).rev().max_by(|a, b| scores[*a].total_cmp(&scores[*b]))
}

/// A sentence without marks of Markdown, on one line; headings in it are not said.
fn plain(sentence: &str) -> String {
    let is_heading =
        |line: &&str| line.trim_start().trim_start_matches('#').starts_with(' ') && line.trim_start().starts_with('#');
    let lines: Vec<_> = sentence.lines().filter(|line| !is_heading(line)).collect();
    let text = lines.join("\n");
    let text = text.trim_start_matches(['>', '*', '-', ' ']).replace("**", "").replace('`', "");
    // A bracketed number in a document is a reference of its own and no number of ours.
    let text = text.replace('[', "(").replace(']', ")");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn stems(sentence: &str) -> Vec<String> {
    sentence
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| stem(&word.to_lowercase()))
        .collect()
}

/// As much of a word as its forms have in common.
fn stem(word: &str) -> String {
    word.chars().take(5).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// Where no rule answers.
    fn answer(heard: &Heard, passages: Option<&Passages>) -> Option<String> {
        likely(heard, passages).or_else(|| nothing(heard, passages))
    }
    use crate::passage::tests::passage;

    fn found(passages: &[(&str, &str, u8)]) -> Passages {
        let relevant = |(title, text, relevance): &(&str, &str, u8)| {
            Arc::new(Passage { relevance: *relevance, ..(*passage(title, text)).clone() })
        };
        passages.iter().map(relevant).collect()
    }

    #[test]
    fn what_fits_is_told_with_its_place_and_number() {
        let heard = Heard::new("How much warfarin do I take?");
        let passages = found(&[
            ("Leaflet", "# Dose\nAdults take 5 mg [3] once a day.", 80),
            ("Note", "Take it at six.", 75),
            ("x", "x", 50),
        ]);
        let told = answer(&heard, Some(&passages)).unwrap();
        assert_eq!(
            told,
            "I found this in \"Leaflet\": Adults take 5 mg (3) once a day [1]. And in \"Note\": Take it at six [2]."
        );
        assert_eq!(sure(&heard, Some(&passages)), Some(told));
        for (relevance, said) in [
            (50, "I found this in \"Leaflet\": Adults take 5 mg [1]."),
            (
                49,
                "I am not sure that it answers you, but this is the nearest I found in \"Leaflet\": Adults take 5 mg [1].",
            ),
        ] {
            let weak = found(&[("Leaflet", "Adults take 5 mg.", relevance)]);
            assert_eq!(sure(&heard, Some(&weak)), None);
            assert_eq!(answer(&heard, Some(&weak)).unwrap(), said);
        }
    }

    #[test]
    fn headings_are_not_said_but_where_there_is_nothing_else() {
        let heard = Heard::new("When does the horn sound?");
        assert_eq!(excerpt("## Fog\n\nThe horn sounds. #1 is next.", &heard, LONGEST), "The horn sounds. #1 is next.");
        assert_eq!(excerpt("## Fog", &heard, LONGEST), "Fog");
    }

    #[test]
    fn where_nothing_fits_that_is_said_to_who_asks() {
        let none = "I found nothing about that in your documents.";
        for passages in [found(&[]), found(&[("x", "Adults.", 19)])] {
            assert_eq!(answer(&Heard::new("Who wrote it?"), Some(&passages)).as_deref(), Some(none));
            assert_eq!(answer(&Heard::new("Go forward."), Some(&passages)), None);
        }
        assert_eq!(answer(&Heard::new("Who wrote it?"), None), None);
    }

    #[test]
    fn of_a_long_passage_the_part_that_answers_is_told() {
        let filler = |n: usize| format!("Sentence {n} says something else about the house and the garden around it.");
        let text: Vec<_> = (0..8)
            .map(filler)
            .chain(["The password is written under the mat.".to_owned()])
            .chain((8..24).map(filler))
            .collect();
        let told = excerpt(&text.join(" "), &Heard::new("Where do I find the password?"), LONGEST);
        assert!(told.contains("under the mat") && told.split(' ').count() <= LONGEST, "{told}");
    }
}
