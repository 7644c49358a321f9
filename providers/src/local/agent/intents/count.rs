//! Counts aloud: "count to ten", "count down from five", "count by twos to twenty".

use super::super::{
    heard::{Heard, Word, capital, lead},
    quantity::numeral,
    scene::Scene,
};

pub(super) fn answer(heard: &Heard, _: &Scene<'_>) -> Option<String> {
    let words = heard.after_lead(&["count", "start counting"])?;
    let down = lead(words, "down").is_some() || lead(words, "backwards").is_some() || lead(words, "backward").is_some();
    let number = |names: &[&str]| {
        let at = words.iter().position(|word| names.contains(&word.text.as_str()))?;
        read(&words[at + 1..])
    };
    let step = number(&["by"]).unwrap_or(1).max(1);
    let (from, to) = (number(&["from"]), number(&["to", "until", "till"]));
    if words.is_empty() || (from.is_none() && to.is_none()) {
        return None;
    }
    // "by twos to ten" starts at two, "to ten" at one.
    let (first, last) = if down { (10, 1) } else { (step, 10) };
    let (from, to) = (from.unwrap_or(first), to.unwrap_or(last));
    Some(counted(from, to, step))
}

fn counted(from: u32, to: u32, step: u32) -> String {
    let mut numbers = Vec::new();
    let mut at = from;
    let complete = loop {
        if numbers.len() == MOST {
            break false;
        }
        numbers.push(numeral::spell(at));
        let next = if from <= to {
            at.checked_add(step).filter(|next| *next <= to)
        } else {
            at.checked_sub(step).filter(|next| *next >= to)
        };
        match next {
            Some(next) => at = next,
            None => break true,
        }
    };
    let text = capital(&numbers.join(", "));
    if complete { format!("{text}.") } else { format!("{text}. I stop here; that is enough for one breath.") }
}

/// A number, or the plural used for steps: "twos", "fives", "tens".
fn read(words: &[Word]) -> Option<u32> {
    let steps = ["ones", "twos", "threes", "fours", "fives", "sixes", "sevens", "eights", "nines", "tens"];
    let first = words.first()?;
    let step = steps.iter().position(|name| *name == first.text).and_then(|at| u32::try_from(at + 1).ok());
    step.or_else(|| u32::try_from(numeral::read(words)?.0.integer()?).ok().filter(|value| *value < 10_000))
}

/// Half a minute of speech.
const MOST: usize = 50;

#[cfg(test)]
mod tests {
    use super::{super::super::scene::tests::now, *};

    fn answer_to(text: &str) -> Option<String> {
        answer(&Heard::new(text), &Scene::new(&now(), &[]))
    }

    #[test]
    fn it_counts_up_down_and_in_steps() {
        for (text, expected) in [
            ("Count to five.", "One, two, three, four, five."),
            ("Can you count to 3?", "One, two, three."),
            ("Count from 3 to 6.", "Three, four, five, six."),
            ("Count down from five.", "Five, four, three, two, one."),
            ("Count backwards from 3 to 0.", "Three, two, one, zero."),
            ("Count by twos to ten.", "Two, four, six, eight, ten."),
        ] {
            assert_eq!(answer_to(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn it_stops_before_it_bores() {
        let answer = answer_to("Count to 9,999.").unwrap();
        assert!(answer.contains("fifty. I stop here"), "{answer}");
        assert_eq!(answer_to("Count me in."), None);
        assert_eq!(answer_to("Count to one million."), None);
    }
}
