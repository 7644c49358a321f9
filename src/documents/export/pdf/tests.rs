//! Lines hold all of the text, in its order and within the margins; nothing that is said spoils a file.

use jiff::Timestamp;
use proptest::prelude::*;

use super::{
    super::{Bibliography, Call, Conversation, Message, Modality, Role, Status},
    Error, Faces, Fonts, MOST_PAGES,
    lines::{self, Line},
    shape::{self, Paragraph},
    typeset,
};

fn conversation() -> Conversation {
    Conversation {
        id: "s".into(),
        title: Some("Title".into()),
        user: "u".into(),
        complete: true,
        created: Timestamp::UNIX_EPOCH,
        updated: Timestamp::UNIX_EPOCH,
        messages: 1,
        bibliography: Bibliography::default(),
    }
}

fn said(content: &str) -> Message {
    Message {
        id: "m".into(),
        role: Role::Assistant,
        modality: Modality::Audio,
        status: Status::Incomplete,
        content: content.into(),
        call: Some(Call { id: "c".into(), name: Some(content.into()), arguments: Some(content.into()) }),
        attachments: Vec::new(),
        citations: Vec::new(),
        tools: Vec::new(),
        at: Timestamp::UNIX_EPOCH,
    }
}

fn set(messages: impl IntoIterator<Item = Message>) -> Result<Vec<u8>, Error> {
    let fonts = Fonts::default();
    typeset(&fonts, &conversation(), messages.into_iter().map(Ok), Timestamp::UNIX_EPOCH, || false)
}

/// The lines of a text that are `width` ems wide at most.
fn cut(text: &str, width: f32) -> Vec<Line> {
    let fonts = Fonts::default();
    let mut faces = Faces::open(&fonts);
    lines::cut(&Paragraph::new(text, false, &mut faces), width).collect()
}

fn texts(lines: &[Line]) -> Vec<&str> {
    lines.iter().map(|line| line.text.as_str()).collect()
}

/// What a line shows, from left to right.
fn shown(line: &Line) -> String {
    let glyphs = line.pieces.iter().flat_map(|piece| &piece.glyphs);
    glyphs.map(|glyph| &line.text[glyph.text_range.clone()]).collect()
}

/// What of a line's text some glyph stands for.
fn covered(line: &Line) -> String {
    let glyphs = line.pieces.iter().flat_map(|piece| &piece.glyphs);
    let mut ranges: Vec<_> = glyphs.map(|glyph| glyph.text_range.clone()).collect();
    ranges.sort_by_key(|range| range.start);
    ranges.dedup();
    ranges.into_iter().map(|range| &line.text[range]).collect()
}

#[test]
fn lines_end_where_words_do_and_long_words_where_they_must() {
    assert_eq!(texts(&cut("one two three four", 6.0)), ["one two", "three four"]);
    let long = cut(&"w".repeat(40), 6.0);
    assert!(long.len() > 3 && long.iter().all(|line| line.width <= 6.0 && !line.text.is_empty()));
    assert_eq!(texts(&long).concat(), "w".repeat(40));
    assert_eq!(texts(&cut("", 6.0)), [""]);
    assert_eq!(texts(&cut("漢字漢字漢字", 2.5)).concat(), "漢字漢字漢字");
}

#[test]
fn right_to_left_is_shown_from_the_right() {
    let [line] = &cut("abc \u{5D0}\u{5D1}\u{5D2} def", 50.0)[..] else { panic!() };
    assert_eq!((shown(line).as_str(), line.rtl), ("abc \u{5D2}\u{5D1}\u{5D0} def", false));
    // Two scripts, hence two runs, of one direction.
    let [line] = &cut("\u{5D0}\u{5D1}\u{628}\u{62A}", 50.0)[..] else { panic!() };
    assert_eq!((shown(line).as_str(), line.pieces.len()), ("\u{62A}\u{628}\u{5D1}\u{5D0}", 2));
    let [line] = &cut("\u{5D0}\u{5D1} 12 abc", 50.0)[..] else { panic!() };
    assert_eq!((shown(line).as_str(), line.rtl), ("abc 12 \u{5D1}\u{5D0}", true));
}

#[test]
fn what_is_unseen_at_a_lines_end_belongs_to_the_letter_before_it() {
    let [line] = &cut("a \u{628}\u{200D}", 50.0)[..] else { panic!() };
    assert_eq!(covered(line), "a \u{628}\u{200D}");
}

#[test]
fn arabic_letters_are_joined() {
    let glyphs =
        |text: &str| cut(text, 50.0)[0].pieces[0].glyphs.iter().map(|g| g.glyph_id.to_u32()).collect::<Vec<_>>();
    let (alone, thrice) = (glyphs("\u{628}"), glyphs("\u{628}\u{628}\u{628}"));
    assert!(thrice.iter().all(|glyph| !alone.contains(glyph)), "{alone:?} {thrice:?}");
}

#[test]
fn scripts_of_the_built_in_fonts_have_glyphs() {
    let text = "Latin ħéß Ελληνικά Кириллица العربية עברית Հայերեն ქართული → ∑ ✓ ☃ €";
    for line in cut(text, 500.0) {
        assert!(line.pieces.iter().flat_map(|piece| &piece.glyphs).all(|glyph| glyph.glyph_id.to_u32() != 0));
    }
}

#[test]
fn long_text_is_cut_after_white_space() {
    let text = format!("{} {}", "a".repeat(16_000), "b".repeat(1_000));
    assert_eq!(shape::stretch(&text), (&text[..16_001], &text[16_001..]));
    let solid = "漢".repeat(10_000);
    let (head, tail) = shape::stretch(&solid);
    assert!(!head.is_empty() && !tail.is_empty());
}

#[test]
fn hostile_text_is_set() {
    for text in [
        "",
        "\0\u{1}\u{7f}\u{9f}",
        "\u{202E}\u{2067}\u{2066}never closed\u{202B}",
        "e\u{301}\u{301}\u{301}\u{301}",
        "\u{301}",
        "👩\u{200D}👩\u{200D}👧\u{200D}👦 🏳\u{FE0F}\u{200D}🌈 🇩🇪",
        "\u{10FFFF}\u{FFFE}\u{E000}\u{F0000}",
        "(BT /F1 12 Tf) Tj ET endstream endobj %%EOF",
        "लोकतन्त्र ประเทศไทย မြန်မာ 𝕳𝖊𝖑𝖑𝖔 𓀀",
        "\u{2028}\u{2029}\r\r\n\n\t",
    ] {
        let pdf = set([said(text)]).unwrap();
        assert!(pdf.starts_with(b"%PDF-") && pdf.trim_ascii_end().ends_with(b"%%EOF"), "{text:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn lines_hold_all_of_a_text(text in "([ a-zé漢\u{5D0}-\u{5D4}\u{627}-\u{62F}0-9\u{301}\u{200D}\u{202E}👩🏽-]|\\PC){0,60}", width in 3.0..30f32) {
        let lines = cut(&text, width);
        let visible = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        prop_assert_eq!(visible(&texts(&lines).concat()), visible(&text));
        for line in &lines {
            prop_assert_eq!(&covered(line), &line.text);
        }
    }

    #[test]
    fn any_text_is_set(text: String) {
        prop_assert!(set([said(&text)]).is_ok());
    }
}

#[test]
fn what_is_too_long_or_late_or_broken_is_told() {
    let endless = std::iter::repeat_with(|| said(&"\n".repeat(100_000)));
    assert!(matches!(set(endless), Err(Error::TooLong)), "{MOST_PAGES}");
    let fonts = Fonts::default();
    let one = || std::iter::once(Ok(said("x")));
    let at = Timestamp::UNIX_EPOCH;
    assert!(matches!(typeset(&fonts, &conversation(), one(), at, || true), Err(Error::Late)));
    let broken = one().chain([Err(Error::Broken)]);
    assert!(matches!(typeset(&fonts, &conversation(), broken, at, || false), Err(Error::Broken)));
}
