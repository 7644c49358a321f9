//! References as the styles' manuals have them, for documents of every kind and text of any.

use proptest::prelude::*;

use super::*;

fn of(fields: serde_json::Value) -> Source {
    serde_json::from_value::<Source>(fields).unwrap().checked().unwrap()
}

fn article() -> Source {
    of(serde_json::json!({
        "title": "Safety and efficacy of the BNT162b2 mRNA Covid-19 vaccine",
        "authors": ["Polack, Fernando P.", "Thomas, Stephen J.", "Kitchin, Nicholas"],
        "publication_date": "2020-12-31",
        "journal": "New England Journal of Medicine",
        "volume": "383", "issue": "27", "pages": "2603-2615",
        "doi": "10.1056/NEJMoa2034577", "pmid": "33301246",
    }))
}

/// In APA, MLA and Chicago.
fn written(source: &Source) -> [String; 3] {
    Style::ALL.map(|style| style.reference(source))
}

#[test]
fn an_article_with_a_doi() {
    let expected = [
        "Polack, F. P., Thomas, S. J., & Kitchin, N. (2020). Safety and efficacy of the BNT162b2 mRNA Covid-19 vaccine. \
         New England Journal of Medicine, 383(27), 2603–2615. https://doi.org/10.1056/NEJMoa2034577",
        "Polack, Fernando P., et al. “Safety and Efficacy of the BNT162b2 mRNA Covid-19 Vaccine.” New England Journal of \
         Medicine, vol. 383, no. 27, Dec. 2020, pp. 2603–15, https://doi.org/10.1056/NEJMoa2034577.",
        "Polack, Fernando P., Stephen J. Thomas, and Nicholas Kitchin. 2020. “Safety and Efficacy of the BNT162b2 mRNA \
         Covid-19 Vaccine.” New England Journal of Medicine 383 (27): 2603–15. https://doi.org/10.1056/NEJMoa2034577.",
    ];
    assert_eq!(written(&article()), expected);
}

#[test]
fn a_book() {
    let book = of(serde_json::json!({
        "title": "On the origin of species", "authors": ["Darwin, Charles"], "publication_date": "1859",
        "source_type": "book",
    }));
    let expected = [
        "Darwin, C. (1859). On the origin of species.",
        "Darwin, Charles. On the Origin of Species. 1859.",
        "Darwin, Charles. 1859. On the Origin of Species.",
    ];
    assert_eq!(written(&book), expected);
}

#[test]
fn a_web_page_of_an_organisation() {
    let page = of(serde_json::json!({
        "title": "Influenza (seasonal)", "authors": ["World Health Organization"], "publication_date": "2023-10-03",
        "url": "https://www.who.int/detail/influenza-(seasonal)", "source_type": "webpage",
    }));
    let expected = [
        "World Health Organization. (2023, October 3). Influenza (seasonal). \
         https://www.who.int/detail/influenza-(seasonal)",
        "World Health Organization. Influenza (Seasonal). 3 Oct. 2023, https://www.who.int/detail/influenza-(seasonal).",
        "World Health Organization. 2023. “Influenza (Seasonal).” October 3. \
         https://www.who.int/detail/influenza-(seasonal).",
    ];
    assert_eq!(written(&page), expected);
}

#[test]
fn a_chapter_and_a_paper_of_a_conference() {
    for kind in ["chapter", "conference"] {
        let part = of(serde_json::json!({
            "title": "A part", "authors": ["King, Martin Luther, Jr.", "Jan van der Berg"], "publication_date": "2024-03",
            "journal": "The whole", "pages": "1-20", "source_type": kind,
        }));
        let expected = [
            "King, M. L., Jr., & van der Berg, J. (2024). A part. In The whole (pp. 1–20).",
            "King, Martin Luther, Jr., and Jan van der Berg. “A Part.” The Whole, 2024, pp. 1–20.",
            "King, Martin Luther, Jr., and Jan van der Berg. 2024. “A Part.” In The Whole.",
        ];
        assert_eq!(written(&part), expected, "{kind}");
    }
}

#[test]
fn what_is_not_known_is_left_out() {
    let rules = of(serde_json::json!({"title": "House rules for the ward"}));
    let expected =
        ["House rules for the ward. (n.d.).", "“House Rules for the Ward.”", "“House Rules for the Ward.” n.d."];
    assert_eq!(written(&rules), expected);
    let nothing = written(&Source::default());
    assert!(nothing.iter().all(|reference| reference.to_lowercase().contains("untitled document")), "{nothing:?}");
}

#[test]
fn text_is_text_whatever_it_looks_like() {
    let hostile = r#"<script>alert(1)</script> {b} $c$ \d *e* &amp; "f" 漢字 العربية 😀"#;
    let source = of(
        serde_json::json!({"title": hostile, "authors": ["<b>, {x}"], "journal": "Ω & 𝕳 Letters", "pages": "99999999999-1"}),
    );
    let apa = Style::Apa.reference(&source);
    for part in
        ["<script>alert(1)</script> {b} $c$ \\d *e* &amp;", "漢字 العربية 😀", "<b>", "Ω & 𝕳 Letters", "99999999999"]
    {
        assert!(apa.contains(part), "{part}: {apa}");
    }
}

#[test]
fn a_list_is_in_the_order_of_its_style_and_tells_years_apart() {
    let of = |author: &str, title: &str| {
        of(serde_json::json!({"title": title, "authors": [author], "publication_date": "2024"}))
    };
    let sources = [of("Wolf, Ann", "One"), of("Berg, Jan", "Two"), of("Wolf, Ann", "Three")];
    let list = Style::Apa.bibliography(&sources);
    let expected = [(1, "Berg, J. (2024). Two."), (0, "Wolf, A. (2024a). One."), (2, "Wolf, A. (2024b). Three.")];
    assert_eq!(list, expected.map(|(at, text)| (at, text.to_owned())));
    assert!(Style::Mla.bibliography(&[]).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_becomes_a_reference(
        title in r"\PC{0,30}", journal in proptest::option::of(r"\PC{0,20}"), author in r"[\PC,-]{0,20}",
        volume in r"[0-9a-z,&–-]{0,14}", pages in r"[0-9a-z, &–-]{0,14}", year in 1..9999_i16,
    ) {
        let source = Source {
            title: Some(title), journal, authors: vec![author], volume: Some(volume.clone()), issue: Some(volume),
            pages: Some(pages), publication_date: Some(format!("{year:04}-12-31")), ..Source::default()
        };
        let source = source.checked().unwrap();
        for style in Style::ALL {
            prop_assert!(!style.reference(&source).is_empty());
        }
    }
}
