//! Words written short.

use regex::Captures;

use super::rules::{Place, Rule};

/// A shortening with its dot: one that stands before a name or number never ends a sentence, the others may.
fn dotted(m: &Captures<'_>, place: Place<'_>) -> Option<String> {
    if let Some((_, full)) = TITLES.iter().find(|(short, _)| *short == &m[1]) {
        return Some((*full).to_owned());
    }
    let (_, full) = SHORTENINGS.iter().find(|(short, _)| *short == &m[1])?;
    Some(format!("{full}{}", if place.ends_sentence() { "." } else { "" }))
}

/// `St. Paul`, `Main St.`: a saint stands before a name, a street behind one.
fn saint_or_street(_: &Captures<'_>, place: Place<'_>) -> Option<String> {
    let named = place.after.strip_prefix(' ').is_some_and(|after| after.starts_with(char::is_uppercase));
    let behind_name = place.said.starts_with(char::is_uppercase) && place.said.ends_with(char::is_alphabetic);
    Some(match (named, behind_name) {
        (true, false) => "Saint".to_owned(),
        _ => format!("Street{}", if place.ends_sentence() { "." } else { "" }),
    })
}

/// `U.S.A.`: letters, which the dictionary says one by one.
fn initials(m: &Captures<'_>, place: Place<'_>) -> Option<String> {
    let letters: String = m[0].chars().filter(|c| *c != '.').collect();
    let stop = place.after.trim_start().is_empty();
    Some(letters + if stop { "." } else { "" })
}

/// `J. Smith`: an initial, not the end of a sentence.
fn initial(m: &Captures<'_>, place: Place<'_>) -> Option<String> {
    (&m[1] != "I" && place.after.trim_start().starts_with(char::is_uppercase)).then(|| m[1].to_owned())
}

const TITLES: &[(&str, &str)] = &[
    ("Dr", "Doctor"),
    ("Mr", "Mister"),
    ("Mrs", "Missus"),
    ("Ms", "Miz"),
    ("Prof", "Professor"),
    ("Gen", "General"),
    ("Col", "Colonel"),
    ("Capt", "Captain"),
    ("Sgt", "Sergeant"),
    ("Lt", "Lieutenant"),
    ("Rev", "Reverend"),
    ("Gov", "Governor"),
    ("Sen", "Senator"),
    ("Rep", "Representative"),
    ("Mt", "Mount"),
    ("Ft", "Fort"),
    ("Fig", "Figure"),
    ("fig", "figure"),
    ("vs", "versus"),
    ("e.g", "for example"),
    ("i.e", "that is"),
    ("cf", "compare"),
    ("approx", "approximately"),
    ("Approx", "Approximately"),
    ("vol", "volume"),
    ("Vol", "Volume"),
    ("pp", "pages"),
    ("Jan", "January"),
    ("Feb", "February"),
    ("Aug", "August"),
    ("Sept", "September"),
    ("Sep", "September"),
    ("Oct", "October"),
    ("Nov", "November"),
    ("Dec", "December"),
];

const SHORTENINGS: &[(&str, &str)] = &[
    ("etc", "et cetera"),
    ("Inc", "Incorporated"),
    ("Ltd", "Limited"),
    ("Corp", "Corporation"),
    ("Co", "Company"),
    ("Jr", "Junior"),
    ("Sr", "Senior"),
    ("Ave", "Avenue"),
    ("Blvd", "Boulevard"),
    ("Rd", "Road"),
    ("Apt", "Apartment"),
    ("Dept", "Department"),
    ("dept", "department"),
    ("est", "established"),
    ("al", "al"),
    ("a.k.a", "also known as"),
    ("tel", "telephone"),
    ("Tel", "Telephone"),
    ("ext", "extension"),
    ("max", "maximum"),
    ("min", "minimum"),
    ("avg", "average"),
    ("hrs", "hours"),
    ("mins", "minutes"),
    ("secs", "seconds"),
    ("Mon", "Monday"),
    ("Tue", "Tuesday"),
    ("Tues", "Tuesday"),
    ("Wed", "Wednesday"),
    ("Thu", "Thursday"),
    ("Thurs", "Thursday"),
    ("Fri", "Friday"),
];

pub(super) const RULES: &[Rule] = &[
    Rule(r"St\.", saint_or_street),
    Rule(r"([A-Za-z]+(?:\.[a-z])*)\.", dotted),
    Rule(r"(?:[A-Z]\.){2,}", initials),
    Rule(r"([A-Z])\.", initial),
    Rule(r"(?:Dr|Mr|Mrs|Ms|Prof)\b", |m, place| {
        let full = TITLES.iter().find(|(short, _)| *short == &m[0])?.1;
        place.after.strip_prefix(' ')?.starts_with(char::is_uppercase).then(|| full.to_owned())
    }),
    Rule(r"w/o\b", |_, _| Some("without".to_owned())),
    Rule(r"w/", |_, _| Some("with".to_owned())),
    Rule(r"vs\b", |_, _| Some("versus".to_owned())),
];
