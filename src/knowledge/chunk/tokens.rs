//! How many tokens a text is to an embedding model, about.
//!
//! Models differ; what they have in common is that common words are one token, rare ones several, and that each mark and
//! each character of a script they have no words of is one. Rather too many than too few.

/// About how many tokens this is.
pub(super) fn estimate(text: &str) -> usize {
    let mut weight = Weight::default();
    text.chars().for_each(|c| weight.add(c));
    weight.tokens()
}

/// An estimate that goes on.
#[derive(Debug, Default)]
pub(super) struct Weight {
    tokens: usize,
    /// Letters, or digits, that follow each other.
    run: usize,
    digits: bool,
}

impl Weight {
    pub(super) const fn tokens(&self) -> usize {
        self.tokens
    }

    pub(super) fn add(&mut self, c: char) {
        let (word, digit) = (c.is_ascii_alphanumeric() || matches!(c, '\u{c0}'..='\u{24f}'), c.is_ascii_digit());
        if word && self.run > 0 && self.digits == digit {
            self.run += 1;
            self.tokens += usize::from(self.run % if digit { 2 } else { 5 } == 1);
            return;
        }
        (self.run, self.digits) = (usize::from(word), digit);
        self.tokens += usize::from(!c.is_whitespace());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_numbers_and_other_scripts_are_weighed() {
        assert_eq!(estimate("The dose is 5 mg."), 6);
        assert_eq!(estimate("hydrochlorothiazide"), 4);
        assert_eq!(estimate("2026"), 2);
        assert_eq!(estimate("血圧は高い"), 5);
        assert_eq!(estimate(" \n "), 0);
    }
}
