import assert from "node:assert/strict";
import { test } from "node:test";

import type { Message } from "../src/relay/conversations.ts";
import { type Happening, reduce } from "../src/talk/transcript.ts";

const message = (id: string, more: Partial<Message> = {}): Message => ({
  id,
  role: "user",
  modality: "text",
  content: id,
  status: "completed",
  tool_call: null,
  item_id: null,
  client_message_id: null,
  attachments: [],
  citations: [],
  tools: [],
  ...more,
});

const told = (...events: Happening[]) => events.reduce(reduce, [] as ReturnType<typeof reduce>);
const shown = (entries: ReturnType<typeof reduce>) => entries.map(({ who, text, state }) => [who, text, state]);

test("what is kept is shown in its order, tools and systems left out", () => {
  const messages = [message("a"), message("b", { role: "system" }), message("c", { role: "assistant", tool_call: {} }), message("d", { role: "assistant", status: "incomplete" })];
  const entries = told({ type: "page.past", messages, calling: false });
  assert.deepEqual(shown(entries), [["you", "a", "done"], ["relay", "d", "cut"]]);
  assert.ok(entries.every(({ past }) => past), "nobody reads the past out");
});

test("what was typed is there at once, and once it is kept it is not there twice", () => {
  const kept = message("m-1", { content: "Hello", client_message_id: "mine" });
  const entries = told({ type: "page.typed", id: "mine", text: "Hello" }, { type: "page.kept", message: kept, calling: false }, { type: "page.kept", message: kept, calling: false });
  assert.deepEqual(shown(entries), [["you", "Hello", "done"]]);
  assert.equal(entries[0]?.message, "m-1");
});

test("a written reply grows, is told from its beginning after a drop, and ends as it is kept", () => {
  const chunk = (text: string): Happening => ({ type: "page.chunk", message: "m-2", text });
  const growing = told(chunk("Forty "), chunk("sec"));
  assert.deepEqual(shown(growing), [["relay", "Forty sec", "live"]]);
  const again = [{ type: "page.followed" } as Happening, chunk("Forty "), chunk("seconds [1].")].reduce(reduce, growing);
  assert.deepEqual(shown(again), [["relay", "Forty seconds [1].", "live"]]);
  const source = { index: 1, title: "Handbook" };
  const done = reduce(again, { type: "page.kept", message: message("m-2", { role: "assistant", content: "Forty seconds [1].", citations: [source] }), calling: false });
  assert.deepEqual(shown(done), [["relay", "Forty seconds [1].", "done"]]);
  assert.deepEqual(done[0]?.sources, [source]);
});

test("what a call of this page says is its own: what is kept of it adds what the relay alone knows", () => {
  const spoken = told(
    { type: "input_audio_buffer.speech_started", item_id: "item_1", audio_start_ms: 0 },
    { type: "conversation.item.input_audio_transcription.completed", item_id: "item_1", transcript: "How often?" },
  );
  const kept = message("m-1", { modality: "audio", content: "How often", item_id: "item_1" });
  const known = reduce(spoken, { type: "page.kept", message: kept, calling: true });
  assert.deepEqual(shown(known), [["you", "How often?", "done"]]);
  assert.equal(known[0]?.message, "m-1");
  const answered = reduce(known, { type: "conversation.item.added", item: { id: "item_3", type: "message", role: "assistant", content: [] } });
  const done: Happening = { type: "conversation.item.done", item: { id: "item_3", type: "message", metadata: { tools: [{ name: "get_tide", state: "done" }] } } };
  const named = reduce(answered, done);
  assert.deepEqual(named[1]?.tools, [{ name: "get_tide", state: "done" }]);
  const tools = [{ name: "get_tide", state: "done", arguments: "{}", output: "High at noon." } as const];
  const whole = message("m-3", { role: "assistant", modality: "audio", item_id: "item_3", tools: [...tools] });
  const after = reduce(named, { type: "page.kept", message: whole, calling: true });
  assert.deepEqual(after[1]?.tools, tools, "what came of it is known once it is kept");
  assert.deepEqual(reduce(after, done)[1]?.tools, tools, "and stays known");
  const early = message("m-2", { role: "assistant", modality: "audio", content: "Every forty seconds.", item_id: "item_2" });
  assert.equal(reduce(known, { type: "page.kept", message: early, calling: true }).length, 1, "words are not shown before they are heard");
  assert.equal(reduce(known, { type: "page.kept", message: early, calling: false }).length, 2);
});

test("a broken line cuts what this page's call was saying, and nothing that is being written", () => {
  const entries = told({ type: "page.chunk", message: "m-1", text: "Words" }, { type: "page.broken" });
  assert.deepEqual(shown(entries), [["relay", "Words", "live"]]);
});
