//! What is written comes out as it was said.

use jiff::Timestamp;
use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::{Bibliography, Call, Conversation, Message, Modality, Role, Status, Text, markdown::escaped};

fn said(content: &str) -> Message {
    Message {
        id: "m".into(),
        role: Role::User,
        modality: Modality::Audio,
        status: Status::Completed,
        content: content.into(),
        call: None,
        attachments: Vec::new(),
        citations: Vec::new(),
        tools: Vec::new(),
        at: Timestamp::UNIX_EPOCH,
    }
}

fn conversation(title: Option<&str>) -> Conversation {
    Conversation {
        id: "s".into(),
        title: title.map(str::to_owned),
        user: "u".into(),
        complete: true,
        created: Timestamp::UNIX_EPOCH,
        updated: Timestamp::UNIX_EPOCH,
        messages: 1,
        bibliography: Bibliography::default(),
    }
}

/// What a reader sees of Markdown with every extension, or what there is beside paragraphs and text.
fn rendered(markdown: &str) -> Result<String, String> {
    let options = Options::all() - Options::ENABLE_SMART_PUNCTUATION;
    let mut out = String::new();
    for event in Parser::new_ext(markdown, options) {
        if let Event::Text(text) = &event {
            out.push_str(text);
        } else if event == Event::Start(Tag::Paragraph) {
            out.push_str(if out.is_empty() { "" } else { "\n\n" });
        } else if event == Event::HardBreak {
            out.push('\n');
        } else if event != Event::End(TagEnd::Paragraph) {
            return Err(format!("{event:?}"));
        }
    }
    Ok(out)
}

/// What remains of text: line ends are one character, and nothing can carry a NUL.
fn normal(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\0', "\u{FFFD}")
}

#[test]
fn hostile_text_is_rendered_as_it_was_said() {
    for text in [
        "<b>bold</b> <script>alert(1)</script> <!-- -->",
        "# no heading\n====\n----\n* * *\n***",
        "- no list\n+ none\n1. none\n12) none\n- [ ] no task",
        "[x](javascript:alert(1)) ![y](z) [^1] [^1]: note\n\n[x]: http://x",
        "`code` ``` fence\n```\n~~~\n~~struck~~ ==mark== $x$ ^up^",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "a\n-|-\n1|2",
        "    not code\n\tnor this\nends in blanks  \nnext\\",
        "\n\nlines\n\n\n\nbefore, between and after\n\n",
        "&amp; &#35; &lt; \\* \\\\",
        "term\n: no definition\n> no quote\n>no",
        "---\ntitle: no front matter\n---",
        "héllo Ελληνικά Кириллица 漢字 العربية 👩‍👩‍👧 \u{202E}rtl",
        "\u{1}\u{b}\u{c}\r lone\r\ncrlf\0",
        "   ",
        "\n",
        "www.example.org http://x.y/?a=b&c <http://x> a@b.c @you #1 :smile:",
    ] {
        assert_eq!(rendered(&escaped(text)).as_deref(), Ok(normal(text).as_str()), "{text:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn any_text_is_rendered_as_it_was_said(text in "([-+*_#<>\\[\\]()`~=|\\\\!&;:.$^{}\n\r\t 01ab\"'/@é漢]|\\PC){0,40}") {
        prop_assert_eq!(rendered(&escaped(&text)), Ok(normal(&text)), "{}", escaped(&text));
    }

    #[test]
    fn any_code_stays_in_its_fence(code in "([`~\n <#a]|\\PC){0,40}") {
        let call = Call { id: "c`*".into(), name: Some("<b>".into()), arguments: Some(code.clone()) };
        let whole = Text::Markdown.message(&Message { call: Some(call), ..said("") }, true);
        let (mut text, mut blocks) = (String::new(), 0);
        for event in Parser::new(&whole) {
            if let Event::Start(Tag::CodeBlock(_)) = event {
                blocks += 1;
            } else if let (Event::Text(part), 1..) = (event, blocks) {
                text.push_str(&part);
            }
        }
        prop_assert_eq!(blocks, 1);
        prop_assert_eq!(text.strip_suffix('\n').unwrap_or(&text), code.strip_suffix('\n').unwrap_or(&code));
    }

    #[test]
    fn any_text_is_json(title: String, content: String) {
        let (head, foot) = (Text::Json.head(&conversation(Some(&title))), Text::Json.foot(&conversation(None), Timestamp::UNIX_EPOCH));
        let (one, two) = (Text::Json.message(&said(&content), true), Text::Json.message(&said(""), false));
        let whole: serde_json::Value = serde_json::from_str(&format!("{head}{one}{two}{foot}")).unwrap();
        prop_assert_eq!(&whole["session"]["title"], &title);
        prop_assert_eq!(&whole["messages"][0]["content"], &content);
        prop_assert_eq!(whole["messages"].as_array().unwrap().len(), 2);
    }
}

#[test]
fn a_title_stays_a_heading_of_one_line() {
    let head = Text::Markdown.head(&conversation(Some("a\n# b\r\n- <i> `c` {#id}")));
    assert!(head.starts_with("# a \\# b - \\<i\\> \\`c\\` \\{\\#id}\n\n- **User:** u\n"), "{head}");
}
