//! BibTeX reads back what it wrote, and holds to its bounds.

use proptest::prelude::*;

use super::{super::tests::filled, *};
use crate::knowledge::source::{Source, Unread};

fn one(text: &str) -> Source {
    let [source] = <[Source; 1]>::try_from(from_bibtex(text).unwrap()).unwrap();
    source
}

#[test]
fn a_source_is_written_as_an_entry() {
    let expected = "@article{polack2020safety,
  author = {Polack, Fernando P. and {Pfizer Inc}},
  title = {Safety of the mRNA vaccine},
  journal = {N Engl J Med},
  volume = {383},
  number = {27},
  pages = {2603--2615},
  year = {2020},
  month = dec,
  day = {31},
  doi = {10.1056/NEJMoa2034577},
  url = {https://example.org/a?b=1&c=2},
  pmid = {33301246}
}

";
    assert_eq!(to_bibtex(&[filled()]), expected);
    let twice = to_bibtex(&[filled(), filled()]);
    assert!(twice.contains("{polack2020safety-2,"), "keys are told apart: {twice}");
}

#[test]
fn entries_of_other_programs_are_read() {
    let text = r#"
% exported on a Tuesday by kari@example.org
@comment{ignored}
@preamble{"\newcommand{\x}{y}"}
@STRING{nejm = "N Engl J Med"}
@string(who = {World Health Organization})
@InCollection{key:1,
    AUTHOR = "Mart{\'\i}nez, Jos{\'e} and J{\"u}rgen von M{\"u}ller and {Barnes and Noble} and King, Jr., Martin and others",
    title  = {The {DNA} of \emph{na\"{i}ve} {\AA}ngstr\"om: TNF-$\alpha$ \& 50\,\% --- a ``test''},
    booktitle = "One # two" # { three},
    Year = 1999, month = sep # "", pages = {12--34, 40},
    doi = {https://doi.org/10.1000/a\_b}, url = {https://example.org/~kari/a_b%20c},
    abstract = {never mind {nested {deep}}},
}
@article(k2, author = who, title = {Next}, journal = nejm, date = {2024-03-05/2024-03-07}, number = 4)
@misc{k3, title={No date}, year={in press}}
"#;
    let [first, second, third] = <[Source; 3]>::try_from(from_bibtex(text).unwrap()).unwrap();
    assert_eq!(first.authors, ["Martínez, José", "von Müller, Jürgen", "Barnes and Noble", "King, Martin, Jr."]);
    assert_eq!(first.title.as_deref(), Some("The DNA of naïve Ångström: TNF-α & 50 % — a “test”"));
    assert_eq!(first.journal.as_deref(), Some("One # two three"));
    assert_eq!((first.publication_date.as_deref(), first.pages.as_deref()), (Some("1999-09"), Some("12-34, 40")));
    assert_eq!(first.doi.as_deref(), Some("10.1000/a_b"));
    assert_eq!(first.url.as_deref(), Some("https://example.org/~kari/a_b%20c"));
    assert_eq!(first.source_type.as_deref(), Some("chapter"));
    assert_eq!(second.authors, ["World Health Organization"]);
    assert_eq!(
        (second.journal.as_deref(), second.publication_date.as_deref()),
        (Some("N Engl J Med"), Some("2024-03-05"))
    );
    assert_eq!((third.title.as_deref(), third.publication_date), (Some("No date"), None));
}

#[test]
fn what_cannot_be_read_is_told_by_its_line() {
    for (text, line, what) in [
        ("@article{a,\n title = {open", 2, "no end"),
        ("@article{a,\n title {x}}", 2, "`=`"),
        ("@article{a,\n\n title = }", 3, "a value"),
        ("@article{a, title = {x}", 1, "end of the entry"),
        ("\n@article{a, title = {x}, doi = {nonsense}}", 2, "doi"),
        ("@article{a, title = \"x}\"}", 1, "closes nothing"),
        ("just words", 1, "no entry"),
    ] {
        let Unread { line: told, what: why } = from_bibtex(text).unwrap_err();
        assert!(told == line && why.contains(what), "{text}: {told}: {why}");
    }
}

#[test]
fn a_file_made_to_harm_ends_soon() {
    // Strings of strings double; entries that name each other lead nowhere; no depth is too deep.
    let strings: String = (0..60).map(|n| format!("@string{{s{} = s{n} # s{n}}}\n", n + 1)).collect();
    let bomb = format!("@string{{s0 = {{xxxxxxxxxx}}}}\n{strings}");
    assert!(from_bibtex(&bomb).unwrap_err().what.contains("too long"));
    let circle = "@string{a = b} @string{b = a} @book{x, title = a, crossref = y} @book{y, title = b, crossref = x}";
    assert_eq!(from_bibtex(circle).unwrap().len(), 2);
    let deep = format!("@book{{x, title = {{{}x{}}}}}", "{".repeat(100_000), "}".repeat(100_000));
    assert_eq!(one(&deep).title.as_deref(), Some("x"));
    let many: String = (0..1001).map(|n| format!("@book{{k{n}, title = {{{n}}}}}\n")).collect();
    assert_eq!(from_bibtex(&many).unwrap_err().line, 1001);
    assert!(from_bibtex(&"x".repeat(5 << 20)).is_err());
    let crowd = format!("@book{{x, title = {{y}}, author = {{{}Last, First}}}}", "A, B and ".repeat(3000));
    assert_eq!(one(&crowd).authors.len(), 100);
}

/// Text such as might be in a field, and what would end one.
fn text() -> impl Strategy<Value = String> {
    r#"[ a-zA-Zé漢{}\\"@,=#%$&_^~\n-]{1,40}|\PC{1,20}"#
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(title in text(), journal in text(), author in text(), volume in text()) {
        let given = Source { title: Some(title), journal: Some(journal), authors: vec![author], volume: Some(volume), ..filled() };
        let given = given.checked().unwrap();
        let written = to_bibtex(std::slice::from_ref(&given));
        let read = one(&written);
        // TeX has its own signs for dashes and quotes.
        let signs = |text: &Option<String>| {
            let text = text.clone().unwrap_or_default();
            text.replace("---", "—").replace("--", "–").replace("``", "“").replace("''", "”")
        };
        let normal = |text: &Option<String>| {
            use unicode_normalization::UnicodeNormalization;
            signs(text).nfc().collect::<String>()
        };
        prop_assert_eq!(normal(&read.title), normal(&given.title), "{}", written);
        prop_assert_eq!(normal(&read.journal), normal(&given.journal));
        prop_assert_eq!(normal(&read.volume), normal(&given.volume));
        prop_assert_eq!((&read.doi, &read.url, &read.pmid), (&given.doi, &given.url, &given.pmid));
        prop_assert_eq!(read.authors.len(), given.authors.len());
    }

    #[test]
    fn any_text_is_read_or_refused(text in r#"(@|book|string|comment|\{|\}|\(|\)|"|,|=|#|\\|'| |\n|a|1|é){0,60}"#) {
        let _ = from_bibtex(&text);
    }
}
