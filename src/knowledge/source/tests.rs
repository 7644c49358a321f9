//! What is said of a document is tidied, bounded and of its form.

use super::*;

fn of(fields: serde_json::Value) -> Result<Source, Wrong> {
    serde_json::from_value::<Source>(fields).unwrap().checked()
}

#[test]
fn fields_are_kept_tidy() {
    let source = of(serde_json::json!({
        "title": "  Rain\n in \u{0}Oslo ",
        "authors": ["Hansen,  Kari", " "],
        "publication_date": "2024-03",
        "journal": " ",
        "doi": "https://doi.org/10.1000/182",
        "pmid": "PMID: 12345678",
        "url": "HTTPS://example.org/a b",
        "source_type": "article",
    }));
    let expected = Source {
        title: Some("Rain in Oslo".into()),
        authors: vec!["Hansen, Kari".into()],
        publication_date: Some("2024-03".into()),
        doi: Some("10.1000/182".into()),
        pmid: Some("12345678".into()),
        url: Some("https://example.org/a%20b".into()),
        source_type: Some("article".into()),
        ..Source::default()
    };
    assert_eq!(source.unwrap(), expected);
}

#[test]
fn what_is_not_of_its_form_is_refused_by_its_name() {
    for (field, value) in [
        ("title", "x".repeat(TITLE + 1)),
        ("journal", "x".repeat(JOURNAL + 1)),
        ("pages", "x".repeat(NUMBER + 1)),
        ("publication_date", "March 2024".into()),
        ("publication_date", "2024-02-30".into()),
        ("doi", "10.1/x".into()),
        ("doi", "10.1000/".into()),
        ("doi", "10.1000/a b".into()),
        ("doi", "10.1000/\"><script>".into()),
        ("doi", format!("10.1000/{}", "x".repeat(doi::LONGEST))),
        ("pmid", "123456789".into()),
        ("pmid", "0".into()),
        ("pmid", "12a".into()),
        ("url", "javascript:alert(1)".into()),
        ("url", "ftp://example.org/".into()),
        ("url", "example.org".into()),
        ("url", "https://anna:secret@example.org/".into()),
        ("url", format!("https://example.org/{}", "x".repeat(URL))),
        ("source_type", "<b>".into()),
        ("source_type", "x".repeat(TYPE + 1)),
    ] {
        let wrong = of(serde_json::json!({field: value})).unwrap_err();
        assert_eq!(wrong.field, field, "{value}");
    }
    assert_eq!(of(serde_json::json!({"authors": vec!["x"; AUTHORS + 1]})).unwrap_err().field, "authors");
    assert_eq!(of(serde_json::json!({"authors": ["x".repeat(AUTHOR + 1)]})).unwrap_err().field, "authors");
    assert!(serde_json::from_str::<Source>(r#"{"isbn": "1"}"#).is_err(), "nothing that is said is dropped");
}

#[test]
fn old_dois_are_dois() {
    let old = "10.1002/(SICI)1097-0258(19980815/30)17:15/16<1661::AID-SIM968>3.0.CO;2-2";
    assert_eq!(of(serde_json::json!({"doi": old})).unwrap().doi.as_deref(), Some(old));
}

#[test]
fn a_document_names_itself_before_its_references() {
    let text =
        "Rain in Oslo\n(doi: 10.1056/NEJMoa2034577). PMID: 33301246; see\n\nReferences\n1. doi:10.9999/other PMID 1";
    assert_eq!(find(text), (Some("10.1056/NEJMoa2034577".into()), Some("33301246".into())));
    let text = "References\n10.9999/other";
    assert_eq!(find(text), (None, None));
    let far = format!("{}10.1000/182", "ø ".repeat(20_000));
    assert_eq!(find(&far), (None, None), "what is far from the front is another's");
}

#[test]
fn numbers_that_look_alike_are_not_taken() {
    for text in [
        "version 10.1000",
        "10.12/ab",
        "210.1000/182",
        "1.10.1000/182",
        "10.1000/",
        "10.1000/.",
        "PMID",
        "PMID 123456789",
    ] {
        assert_eq!(find(text), (None, None), "{text}");
    }
    assert_eq!(
        find("https://doi.org/10.1016/S0140-6736(20)30183-5, and").0.as_deref(),
        Some("10.1016/S0140-6736(20)30183-5")
    );
    assert_eq!(find("https://pubmed.ncbi.nlm.nih.gov/33301246/").1.as_deref(), Some("33301246"));
}

#[test]
fn what_people_say_goes_before_what_a_file_says() {
    let said = Source { title: Some("Rain".into()), ..Source::default() };
    let read = Source { title: Some("untitled.docx".into()), authors: vec!["Kari".into()], ..Source::default() };
    let both = said.or(read);
    assert_eq!((both.title.as_deref(), both.authors.len()), (Some("Rain"), 1));
}

/// A source of which all is known.
pub(super) fn filled() -> Source {
    Source {
        title: Some("Safety of the mRNA vaccine".into()),
        url: Some("https://example.org/a?b=1&c=2".into()),
        authors: vec!["Polack, Fernando P.".into(), "Pfizer Inc".into()],
        publication_date: Some("2020-12-31".into()),
        journal: Some("N Engl J Med".into()),
        volume: Some("383".into()),
        issue: Some("27".into()),
        pages: Some("2603-2615".into()),
        doi: Some("10.1056/NEJMoa2034577".into()),
        pmid: Some("33301246".into()),
        source_type: Some("article".into()),
    }
}

#[test]
fn ris_reads_what_it_wrote() {
    let written = to_ris(&[filled(), filled()]);
    let expected = "TY  - JOUR\r\nAU  - Polack, Fernando P.\r\nAU  - Pfizer Inc\r\nTI  - Safety of the mRNA vaccine\r\n\
        T2  - N Engl J Med\r\nVL  - 383\r\nIS  - 27\r\nSP  - 2603\r\nEP  - 2615\r\nPY  - 2020\r\nDA  - 2020/12/31/\r\n\
        DO  - 10.1056/NEJMoa2034577\r\nAN  - 33301246\r\nDB  - PubMed\r\nUR  - https://example.org/a?b=1&c=2\r\nER  - \r\n\r\n";
    assert_eq!(written, expected.repeat(2));
    assert_eq!(from_ris(&written).unwrap(), [filled(), filled()]);
}

#[test]
fn no_value_of_ris_is_taken_for_a_tag() {
    let hostile = "x\r\nER  - \r\nTY  - BOOK\nTI  - another";
    let source = Source { title: Some(hostile.into()), authors: vec![hostile.into()], ..Source::default() };
    let read = from_ris(&to_ris(&[source])).unwrap();
    assert_eq!(read.len(), 1);
    assert_eq!(read[0].title.as_deref(), Some("x ER - TY - BOOK TI - another"));
}

#[test]
fn ris_of_other_programs_is_read() {
    let text = "\u{feff}TY  - CHAP\nA1  - Berg, Jan\nT1  - A long\n   title\nBT  - A book\nPY  - 2019/7/4/summer\nSP  - e12\n\
        AN  - WOS:0001\nN2  - An abstract\nthat goes on\nER  -\n\nTY  - GEN\nTI  - Last\nPY  - 99";
    let [first, last] = <[Source; 2]>::try_from(from_ris(text).unwrap()).unwrap();
    let expected = Source {
        title: Some("A long title".into()),
        authors: vec!["Berg, Jan".into()],
        publication_date: Some("2019-07-04".into()),
        journal: Some("A book".into()),
        pages: Some("e12".into()),
        source_type: Some("chapter".into()),
        ..Source::default()
    };
    assert_eq!(first, expected);
    assert_eq!((last.title.as_deref(), last.publication_date), (Some("Last"), None));
}

#[test]
fn what_is_no_ris_is_told_by_its_line() {
    for (text, line) in [
        ("hello", 1),
        ("TI  - x", 1),
        ("TY  - JOUR\nTI  - x\nTY  - BOOK", 3),
        ("\nTY  - JOUR\nTI  - x\nDO  - nonsense\nER  - ", 2),
    ] {
        assert_eq!(from_ris(text).unwrap_err().line, line, "{text}");
    }
    assert_eq!(from_ris(&"TY  - BOOK\nTI  - x\nER  - \n".repeat(1001)).unwrap_err().line, 3001);
}

#[test]
fn names_are_told_apart() {
    let person = |family: &str, given: &str, suffix: Option<&str>| Name::Person {
        family: family.into(),
        given: given.into(),
        suffix: suffix.map(str::to_owned),
    };
    for (text, expected) in [
        ("Hansen, Kari", person("Hansen", "Kari", None)),
        ("Kari Anne Hansen", person("Hansen", "Kari Anne", None)),
        ("Jan van der Berg", person("van der Berg", "Jan", None)),
        ("Polack FP", person("Polack", "F. P.", None)),
        ("King, Martin Luther, Jr.", person("King", "Martin Luther", Some("Jr."))),
        ("King, Jr., Martin Luther", person("King", "Martin Luther", Some("Jr."))),
        ("Martin Luther King, Jr.", person("King", "Martin Luther", Some("Jr."))),
    ] {
        assert_eq!(Name::of(text), expected, "{text}");
    }
    for whole in [
        "World Health Organization",
        "University of California, San Francisco",
        "WHO",
        "王小明",
        "NICE",
        ", x",
        "Pfizer Inc",
    ] {
        assert_eq!(Name::of(whole), Name::Whole(whole.into()));
    }
}

#[test]
fn a_document_is_known_by_what_names_it() {
    let of = |doi: Option<&str>, url: Option<&str>, title: &str| Source {
        doi: doi.map(str::to_owned),
        url: url.map(str::to_owned),
        title: Some(title.into()),
        ..Source::default()
    };
    let all = [
        of(Some("10.1000/A"), None, "one"),
        of(Some("10.1000/a"), Some("https://example.org"), "one, again"),
        of(None, Some("https://example.org/x#page=2"), "two"),
        of(None, Some("https://example.org/x#page=3"), "two"),
        of(None, None, "three"),
        of(None, None, "Three"),
    ];
    let titles: Vec<_> = Source::unique(all).into_iter().filter_map(|source| source.title).collect();
    assert_eq!(titles, ["one", "two", "three"]);
}

#[test]
fn what_a_document_is_comes_from_its_word_or_from_the_rest() {
    let kind = |fields| of(fields).unwrap().kind();
    assert_eq!(kind(serde_json::json!({"source_type": "journal-article"})), Kind::Article);
    assert_eq!(kind(serde_json::json!({"source_type": "practice_guideline", "journal": "x"})), Kind::Report);
    assert_eq!(kind(serde_json::json!({"source_type": "memo", "journal": "x"})), Kind::Article);
    assert_eq!(kind(serde_json::json!({"url": "https://example.org"})), Kind::Webpage);
    assert_eq!(kind(serde_json::json!({"title": "x"})), Kind::Document);
}
