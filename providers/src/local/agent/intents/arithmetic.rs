//! Sums: "what's 12 x 7", "the square root of 144", "15 percent of 80", "add five and seven", "times two".

use super::super::{
    heard::{Heard, Word, capital, lead},
    quantity::{Number, numeral},
    scene::Scene,
};

pub(super) fn answer(heard: &Heard, scene: &Scene<'_>) -> Option<String> {
    let words = question(heard.core());
    let previous = scene.answered().next().and_then(last_number);
    let mut sum = Sum { words, at: 0, previous, steps: 0, depth: 0 };
    let result = sum.order().or_else(|stop| match stop {
        Stop::NotASum => {
            sum = Sum { words, at: 0, previous, steps: 0, depth: 0 };
            sum.sum()
        }
        Stop::NoAnswer(_) => Err(stop),
    });
    match result {
        Ok(number) if sum.at == words.len() && sum.steps > 0 => Some(told(words, number)),
        Err(Stop::NoAnswer(why)) => Some(why.to_owned()),
        Ok(_) | Err(Stop::NotASum) => None,
    }
}

/// Why no number came out.
enum Stop {
    /// These words are something else.
    NotASum,
    /// A sum without a result, and what to say about it.
    NoAnswer(&'static str),
}

type Step = Result<Number, Stop>;

/// A recursive descent over the words.
struct Sum<'a> {
    words: &'a [Word],
    at: usize,
    /// What "that" and "it" mean.
    previous: Option<Number>,
    /// Operations done: a number alone is no sum.
    steps: usize,
    /// Open brackets and signs; bounded, so that no utterance can exhaust the stack.
    depth: usize,
}

impl Sum<'_> {
    /// "add 5 and 7", "subtract 3 from 10", "multiply 6 by 7", "divide 10 by 4".
    fn order(&mut self) -> Step {
        let verb = ["add", "subtract", "take", "multiply", "divide"].into_iter().find(|verb| self.eat(verb));
        let verb = verb.ok_or(Stop::NotASum)?;
        let first = self.factor()?;
        let joined = match verb {
            "add" => self.eat("and") || self.eat("to") || self.eat("plus"),
            "subtract" | "take" => self.eat("from") || self.eat("away from"),
            "multiply" => self.eat("by") || self.eat("with") || self.eat("and"),
            _ => self.eat("by"),
        };
        if !joined {
            return Err(Stop::NotASum);
        }
        let second = self.factor()?;
        self.steps += 1;
        match verb {
            "add" => Ok(first.plus(second)),
            "subtract" | "take" => Ok(second.minus(first)),
            "multiply" => Ok(first.times(second)),
            _ => quotient(first, second),
        }
    }

    fn sum(&mut self) -> Step {
        let mut total = self.opening()?;
        loop {
            total = if self.eat("plus") || (self.steps > 0 && self.eat("and add")) {
                self.steps += 1;
                total.plus(self.product()?)
            } else if self.eat("minus") || self.eat("take away") || self.eat("subtract") {
                self.steps += 1;
                total.minus(self.product()?)
            } else {
                return Ok(total);
            };
        }
    }

    /// The first term; a sum that begins with an operator goes on from the answer before.
    fn opening(&mut self) -> Step {
        let Some(previous) = self.previous.filter(|_| self.at == 0) else { return self.product() };
        self.eat("and");
        let goes_on = ["plus", "times", "divided by", "multiplied by", "minus", "take away"];
        if goes_on.iter().any(|phrase| self.sees(phrase)) {
            return self.products(previous);
        }
        self.at = 0;
        self.product()
    }

    fn product(&mut self) -> Step {
        let first = self.factor()?;
        self.products(first)
    }

    fn products(&mut self, mut total: Number) -> Step {
        loop {
            total = if TIMES.iter().any(|phrase| self.eat(phrase)) {
                self.steps += 1;
                total.times(self.factor()?)
            } else if OVER.iter().any(|phrase| self.eat(phrase)) {
                self.steps += 1;
                quotient(total, self.factor()?)?
            } else if self.eat("mod") || self.eat("modulo") {
                self.steps += 1;
                total.modulo(self.factor()?).ok_or(Stop::NoAnswer(NO_REMAINDER))?
            } else {
                return Ok(total);
            };
        }
    }

    /// A number with what follows it: "squared", "percent of 80", "to the power of 3".
    fn factor(&mut self) -> Step {
        let mut value = self.base()?;
        loop {
            let exponent = if self.eat("squared") {
                Number::whole(2)
            } else if self.eat("cubed") {
                Number::whole(3)
            } else if POWER.iter().any(|phrase| self.eat(phrase)) {
                self.exponent()?
            } else if self.eat("factorial") {
                self.steps += 1;
                value = value.factorial().ok_or(Stop::NoAnswer(NO_FACTORIAL))?;
                continue;
            } else if self.eat("percent") || self.eat("per cent") {
                value = self.percent(value)?;
                continue;
            } else {
                return Ok(value);
            };
            self.steps += 1;
            value = value.power(exponent).ok_or(Stop::NoAnswer(NO_POWER))?;
        }
    }

    /// "3", and in "to the fourth power" the fourth.
    fn exponent(&mut self) -> Step {
        if let Some((ordinal, count)) = numeral::read_ordinal(&self.words[self.at..]) {
            self.at += count;
            self.eat("power");
            return Ok(Number::whole(i128::from(ordinal)));
        }
        self.nested(Self::factor)
    }

    fn percent(&mut self, percent: Number) -> Step {
        let share = percent.times(Number::ratio(1, 100).ok_or(Stop::NotASum)?);
        if self.eat("of") || self.eat("tip on") {
            self.steps += 1;
            Ok(share.times(self.nested(Self::factor)?))
        } else if self.eat("off of") || self.eat("off") {
            self.steps += 1;
            Ok(Number::whole(1).minus(share).times(self.nested(Self::factor)?))
        } else {
            Ok(share)
        }
    }

    fn base(&mut self) -> Step {
        self.eat("the");
        if self.eat("minus") || self.eat("negative") {
            return Ok(Number::whole(0).minus(self.nested(Self::factor)?));
        }
        if self.eat("square root of") || self.eat("cube root of") {
            let degree = if self.words[self.at - 3].text == "cube" { 3 } else { 2 };
            self.steps += 1;
            return self.nested(Self::factor)?.root(degree).ok_or(Stop::NoAnswer(NO_ROOT));
        }
        if self.eat("(") {
            let value = self.nested(Self::sum)?;
            return if self.eat(")") { Ok(value) } else { Err(Stop::NotASum) };
        }
        for (phrase, combine) in PAIRS {
            if self.eat(phrase) {
                return self.pair(*combine);
            }
        }
        if self.eat("double") || self.eat("twice") {
            self.steps += 1;
            return Ok(Number::whole(2).times(self.nested(Self::factor)?));
        }
        if self.eat("that") || self.eat("it") || self.eat("result") || self.eat("previous result") {
            return self.previous.ok_or(Stop::NotASum);
        }
        let (number, count) = numeral::read(&self.words[self.at..]).ok_or(Stop::NotASum)?;
        self.at += count;
        if number.integer().is_none() && self.eat("of") {
            self.steps += 1;
            return Ok(number.times(self.nested(Self::factor)?));
        }
        Ok(number)
    }

    /// "the sum of 3 and 4".
    fn pair(&mut self, combine: fn(Number, Number) -> Step) -> Step {
        let first = self.nested(Self::factor)?;
        if !self.eat("and") {
            return Err(Stop::NotASum);
        }
        self.steps += 1;
        combine(first, self.nested(Self::factor)?)
    }

    fn nested(&mut self, read: fn(&mut Self) -> Step) -> Step {
        if self.depth == DEEPEST {
            return Err(Stop::NotASum);
        }
        self.depth += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn sees(&self, phrase: &str) -> bool {
        lead(&self.words[self.at..], phrase).is_some()
    }

    fn eat(&mut self, phrase: &str) -> bool {
        let count = lead(&self.words[self.at..], phrase);
        self.at += count.unwrap_or(0);
        count.is_some()
    }
}

fn quotient(top: Number, bottom: Number) -> Step {
    top.over(bottom).ok_or(Stop::NoAnswer(BY_ZERO))
}

/// The sum itself, without what asks for it.
fn question(words: &[Word]) -> &[Word] {
    let asked = [
        "what do you get when you",
        "what is the result of",
        "what does",
        "what is",
        "what are",
        "how much is",
        "how much are",
        "calculate",
        "compute",
        "work out",
        "solve",
        "evaluate",
        "and what is",
        "and",
    ];
    let start = asked.iter().find_map(|phrase| lead(words, phrase)).unwrap_or(0);
    let words = &words[start..];
    let ends = ["equal to", "equals to", "equals", "equal", "make", "makes", "come to", "is what", "equals what"];
    let end = ends.iter().find_map(|phrase| {
        let at = words.len().checked_sub(phrase.split(' ').count())?;
        lead(&words[at..], phrase).map(|_| at)
    });
    &words[..end.unwrap_or(words.len())]
}

/// "12 times 7 is 84." Brackets cannot be spoken: then only the result is.
fn told(words: &[Word], result: Number) -> String {
    let result = result.spoken();
    let orders = [
        "add",
        "subtract",
        "take",
        "multiply",
        "divide",
        "and",
        "plus",
        "minus",
        "times",
        "divided",
        "multiplied",
        "that",
        "it",
        "(",
        "double",
        "twice",
    ];
    let unspeakable = words.iter().any(|word| word.text == "(") || words.len() > 24;
    if unspeakable || words.first().is_some_and(|word| orders.contains(&word.text.as_str())) {
        return format!("That makes {result}.");
    }
    let spoken = words.iter().map(|word| match word.text.as_str() {
        "x" => "times",
        "over" => "divided by",
        "^" => "to the power of",
        other => other,
    });
    let text = spoken.collect::<Vec<_>>().join(" ");
    format!("{} is {result}.", capital(&text))
}

/// The last number of an answer, so that one can go on from it.
fn last_number(answer: &str) -> Option<Number> {
    let heard = Heard::new(answer);
    let words = heard.words();
    let at = (0..words.len()).rev().find(|at| Number::decimal(&words[*at].text).is_some())?;
    let number = Number::decimal(&words[at].text)?;
    let negative = at > 0 && words[at - 1].text == "minus" && (at < 2 || !numeric(&words[at - 2]));
    Some(if negative { Number::whole(0).minus(number) } else { number })
}

fn numeric(word: &Word) -> bool {
    Number::decimal(&word.text).is_some()
}

/// Deep enough for any spoken sum.
const DEEPEST: usize = 24;
const TIMES: [&str; 3] = ["times", "x", "multiplied by"];
const OVER: [&str; 3] = ["divided by", "over", "div"];
const POWER: [&str; 4] = ["to the power of", "raised to", "to the", "^"];
type Pair = (&'static str, fn(Number, Number) -> Step);
const PAIRS: &[Pair] = &[
    ("sum of", |a, b| Ok(a.plus(b))),
    ("difference between", |a, b| Ok(a.minus(b))),
    ("difference of", |a, b| Ok(a.minus(b))),
    ("product of", |a, b| Ok(a.times(b))),
    ("quotient of", quotient),
    ("average of", |a, b| quotient(a.plus(b), Number::whole(2))),
    ("remainder of", |a, b| a.modulo(b).ok_or(Stop::NoAnswer(NO_REMAINDER))),
];
const BY_ZERO: &str = "Nobody can divide by zero, I am afraid: there is no such number.";
const NO_ROOT: &str = "A negative number has no real square root, so I cannot give you one.";
const NO_POWER: &str = "That power is not a real number, so I cannot give you one.";
const NO_FACTORIAL: &str = "I can only take the factorial of a whole number from 0 to 170.";
const NO_REMAINDER: &str = "I can only take the remainder of whole numbers, and not by zero.";

#[cfg(test)]
mod tests {
    use super::{super::super::scene::tests::now, *};
    use crate::llm::Message;

    fn answer_to(text: &str, before: &[Message]) -> Option<String> {
        answer(&Heard::new(text), &Scene::new(&now(), before))
    }

    #[test]
    fn sums_are_worked_out() {
        for (text, expected) in [
            ("What's twelve times seven?", "Twelve times seven is 84."),
            ("What's 12 x 7?", "12 times 7 is 84."),
            ("What is 2 plus 3 times 4?", "2 plus 3 times 4 is 14."),
            ("What is 10 divided by 4?", "10 divided by 4 is 2.5."),
            ("10 / 3", "10 divided by 3 is about 3.3333."),
            ("What is 100 minus 58?", "100 minus 58 is 42."),
            ("How much is 0.1 + 0.2?", "0.1 plus 0.2 is 0.3."),
            ("What's the square root of 144?", "The square root of 144 is 12."),
            ("Square root of two.", "Square root of two is about 1.4142."),
            ("What is the cube root of 27?", "The cube root of 27 is 3."),
            ("What is 15% of 80?", "15 percent of 80 is 12."),
            ("What's 20 percent off 50?", "20 percent off 50 is 40."),
            ("What is two to the power of ten?", "Two to the power of ten is 1024."),
            ("2^10", "2 to the power of 10 is 1024."),
            ("What is two to the tenth power?", "Two to the tenth power is 1024."),
            ("What is nine squared?", "Nine squared is 81."),
            ("Five factorial.", "Five factorial is 120."),
            ("What is minus five plus two?", "That makes minus 3."),
            ("(2 + 3) * 4", "That makes 20."),
            ("What's half of 9?", "Half of 9 is 4.5."),
            ("Add five and seven.", "That makes 12."),
            ("Subtract 3 from 10.", "That makes 7."),
            ("Multiply six by seven, please.", "That makes 42."),
            ("Divide 10 by 4.", "That makes 2.5."),
            ("What's the sum of 3 and 4?", "The sum of 3 and 4 is 7."),
            ("Can you tell me what is 17 mod 5?", "17 mod 5 is 2."),
            ("Two hundred and five plus one thousand equals?", "Two hundred and five plus one thousand is 1205."),
            ("what does 2 plus 2 make", "2 plus 2 is 4."),
            ("Hey, what is 6 times 7, please?", "6 times 7 is 42."),
            ("What is double 21?", "That makes 42."),
            ("Stop, tell me what is 9 + 10.", "9 plus 10 is 19."),
            ("Wait, 9 plus 10?", "9 plus 10 is 19."),
        ] {
            assert_eq!(answer_to(text, &[]).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn sums_without_a_result_are_declined_kindly() {
        assert_eq!(answer_to("What is 7 divided by zero?", &[]).as_deref(), Some(BY_ZERO));
        assert_eq!(answer_to("What is the square root of minus 4?", &[]).as_deref(), Some(NO_ROOT));
    }

    #[test]
    fn a_sum_can_go_on_from_the_answer_before() {
        let before = [Message::Assistant("12 times 7 is 84.".into())];
        for (text, expected) in [
            ("Times two.", "That makes 168."),
            ("And divided by four?", "That makes 21."),
            ("What is that plus 1?", "That makes 85."),
            ("Now divide that by 2.", "That makes 42."),
        ] {
            assert_eq!(answer_to(text, &before).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn other_words_are_no_sum() {
        for text in [
            "Twelve.",
            "Go forward ten meters.",
            "What is love?",
            "Five plus.",
            "plus",
            "Ten minus apples",
            "What time is it?",
            "five miles in kilometers",
            "the",
            "what is that",
        ] {
            assert_eq!(answer_to(text, &[]), None, "{text}");
        }
    }

    #[test]
    fn endless_brackets_do_not_exhaust_the_stack() {
        assert_eq!(answer_to(&"(".repeat(100_000), &[]), None);
        assert_eq!(answer_to(&format!("{} 1", "minus ".repeat(100_000)), &[]), None);
    }
}
