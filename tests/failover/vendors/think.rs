//! Two minds that give the known reply, a word at a time: Anthropic's Messages, <https://docs.claude.com/en/api/messages-streaming>,
//! and DeepSeek's chat completions, <https://api-docs.deepseek.com/api/create-chat-completion>. Asked to go on with a reply,
//! they do, and repeat its last two words as models are wont to.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::{
    Shared, Vendor,
    line::{Gone, Line},
};

pub(super) async fn think(mut line: Line, vendor: Vendor, shared: &Shared) -> Result<(), Gone> {
    let asked = line.request().await?;
    shared.requests.lock().unwrap().push((vendor, asked.to_string()));
    let messages = messages(&asked);
    shared.prompts.lock().unwrap().push(messages.clone());
    let reply = shared.reply.lock().unwrap().clone();
    let text = answer(&messages, &*reply);
    shared.note(vendor, &text);
    for event in events(vendor, &text) {
        line.send(Message::text(event)).await?;
    }
    line.close().await;
    Ok(())
}

fn answer(messages: &[(String, String)], reply: &dyn Fn(&str) -> String) -> String {
    let person = messages.iter().rfind(|(role, text)| role == "user" && !is_note(text));
    let whole = reply(person.map_or("", |(_, text)| text));
    let told_to_go_on = messages.last().is_some_and(|(_, text)| is_note(text));
    let said = messages.iter().rev().find(|(role, _)| role == "assistant").filter(|_| told_to_go_on);
    let Some((_, said)) = said else { return whole };
    assert!(whole.starts_with(said.as_str()), "{said:?} is no part of {whole:?}");
    let begun = said.split(' ').count();
    whole.split(' ').skip(begun.saturating_sub(2)).collect::<Vec<_>>().join(" ")
}

fn is_note(text: &str) -> bool {
    text.contains("cut off in transmission")
}

/// Role and text of each message, in either wire.
fn messages(asked: &Value) -> Vec<(String, String)> {
    let text = |content: &Value| match content.as_array() {
        Some(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join("\n"),
        None => content.as_str().unwrap_or_default().to_owned(),
    };
    let list = asked["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().map(|one| (one["role"].as_str().unwrap_or_default().to_owned(), text(&one["content"]))).collect()
}

fn events(vendor: Vendor, text: &str) -> Vec<String> {
    let words = text.split_inclusive(' ');
    if vendor == Vendor::DeepSeek {
        let chunk = |delta: Value, finish: Value, usage: Value| {
            let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
            json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice], "usage": usage})
                .to_string()
        };
        let usage = json!({"prompt_tokens": 30, "completion_tokens": 12, "total_tokens": 42});
        return words
            .map(|word| chunk(json!({"content": word}), Value::Null, Value::Null))
            .chain([chunk(json!({"content": ""}), json!("stop"), usage), "[DONE]".to_owned()])
            .collect();
    }
    let message = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": {"input_tokens": 20, "output_tokens": 1}});
    let block = json!({"type": "text", "text": ""});
    [
        json!({"type": "message_start", "message": message}),
        json!({"type": "content_block_start", "index": 0, "content_block": block}),
    ]
    .into_iter()
    .chain(
        words.map(
            |word| json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}}),
        ),
    )
    .chain([
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 15}}),
        json!({"type": "message_stop"}),
    ])
    .map(|event| event.to_string())
    .collect()
}
