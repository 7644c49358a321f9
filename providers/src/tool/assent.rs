//! Whether somebody agrees, and says nothing else. What is not plainly a yes is a no.

/// Words of a plain assent at most.
const LONGEST: usize = 8;

/// Whether these words agree to what was asked and say nothing more: in English, German, French, Spanish, Italian, Portuguese
/// and Dutch. A question agrees to nothing.
pub fn is_assent(said: &str) -> bool {
    if said.contains(['?', '¿', '？']) {
        return false;
    }
    let said: String = said.chars().map(|c| if c == '’' { '\'' } else { c }).flat_map(char::to_lowercase).collect();
    let words: Vec<&str> =
        said.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|word| !word.is_empty()).collect();
    if words.len() > LONGEST {
        return false;
    }
    let (mut rest, mut agreed) = (&words[..], false);
    while !rest.is_empty() {
        if let Some(length) = begins(rest, AGREEING) {
            (rest, agreed) = (&rest[length..], true);
        } else if let Some(length) = begins(rest, POLITE) {
            rest = &rest[length..];
        } else {
            return false;
        }
    }
    agreed
}

/// Words of the longest of these phrases that `words` begin with.
fn begins(words: &[&str], phrases: &[&str]) -> Option<usize> {
    let lengths = phrases.iter().filter_map(|phrase| {
        let phrase: Vec<_> = phrase.split(' ').collect();
        words.starts_with(&phrase).then_some(phrase.len())
    });
    lengths.max()
}

/// What agrees by itself.
#[rustfmt::skip]
const AGREEING: &[&str] = &[
    // English
    "yes", "yeah", "yep", "yup", "sure", "ok", "okay", "go ahead", "do it", "do that", "do so", "please do", "correct",
    "that's correct", "that is correct", "that's right", "that is right", "i confirm", "confirm", "confirmed", "i agree",
    "agreed", "of course", "absolutely", "definitely", "certainly", "go for it", "you may", "yes you may",
    // German
    "ja", "jawohl", "gern", "gerne", "klar", "na klar", "natürlich", "sicher", "einverstanden", "genau", "richtig", "stimmt",
    "mach das", "mach es", "machen sie das", "machen sie es", "tu das", "tun sie das", "ich bestätige", "in ordnung",
    // French
    "oui", "d'accord", "vas y", "allez y", "bien sûr", "je confirme", "fais le", "faites le", "volontiers", "entendu",
    // Spanish
    "sí", "si", "claro", "claro que sí", "por supuesto", "adelante", "hazlo", "hágalo", "de acuerdo", "vale", "confirmo",
    // Italian
    "sì", "certo", "va bene", "d'accordo", "procedi", "proceda", "lo faccia", "confermo", "certamente",
    // Portuguese
    "sim", "pode", "pode ser", "com certeza", "faça", "faça isso", "está bem", "tudo bem",
    // Dutch
    "graag", "doe maar", "doe dat", "zeker", "akkoord", "prima", "natuurlijk", "dat klopt",
];

/// What goes with it and agrees to nothing.
#[rustfmt::skip]
const POLITE: &[&str] = &[
    "please", "thanks", "thank you", "then", "bitte", "danke", "doch", "s'il te plaît", "s'il vous plaît", "merci",
    "por favor", "gracias", "per favore", "grazie", "obrigado", "obrigada", "alsjeblieft", "alstublieft", "dank je", "dank u",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_yes_agrees() {
        for said in [
            "Yes.",
            "yes, please",
            "Yeah, go ahead!",
            "OK.",
            "Sure, thank you.",
            "Please do.",
            "That’s right.",
            "Ja, bitte.",
            "Mach das.",
            "Oui, allez-y.",
            "D’accord",
            "Sí, por favor.",
            "Claro que sí",
            "Sì, grazie",
            "Sim, pode.",
            "Ja graag",
            "Yes yes yes",
        ] {
            assert!(is_assent(said), "{said}");
        }
    }

    #[test]
    fn whatever_else_is_said_is_no_yes() {
        for said in [
            "",
            ".",
            "please",
            "thank you",
            "no",
            "No, thanks.",
            "yes?",
            "Yes, but not today",
            "yes no",
            "not yes",
            "mm-hm",
            "uh-huh",
            "Yes, and delete the rest",
            "okay stop",
            "don't do it",
            "do it tomorrow",
            "I said yes yesterday",
            "nein",
            "ja, aber",
            "oui mais non",
            "si no",
            "sure you should not",
            "I am sure",
            "wait",
            "correct it",
            "what",
            "yes yes yes yes yes yes yes yes yes",
            "The document says yes",
            "¿sí",
            "right",
            "fine",
        ] {
            assert!(!is_assent(said), "{said}");
        }
    }
}
