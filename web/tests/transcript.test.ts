import assert from "node:assert/strict";
import { test } from "node:test";

import type { Item } from "../src/relay/events.ts";
import { type Entry, type Happening, numbers, reduce, replay, unanswered } from "../src/talk/transcript.ts";

const play = (...events: Happening[]) => events.reduce<readonly Entry[]>(reduce, []);
const told = (entries: readonly Entry[]) => entries.map(({ who, text, said, state }) => `${who} ${state}: ${text.slice(0, said)}`);
const message = (id: string, role: string, type: string, text: string): Item => ({ id, type: "message", role, content: [{ type, text }] });

const QUESTION: Happening[] = [
  { type: "input_audio_buffer.speech_started", item_id: "a", audio_start_ms: 0 },
  { type: "conversation.item.input_audio_transcription.delta", item_id: "a", delta: "What is" },
];
const ANSWER: Happening[] = [
  { type: "conversation.item.input_audio_transcription.completed", item_id: "a", transcript: "What is it?" },
  { type: "conversation.item.added", item: { id: "b", type: "message", role: "assistant", content: [] } },
  { type: "response.output_audio_transcript.delta", response_id: "r", item_id: "b", delta: "It is a " },
  { type: "response.output_audio_transcript.delta", response_id: "r", item_id: "b", delta: "relay for voices." },
];

test("words of a person show while they speak, and the last word on them is the transcript", () => {
  assert.deepEqual(told(play(...QUESTION)), ["you live: What is"]);
  assert.deepEqual(told(play(...QUESTION, ...ANSWER))[0], "you done: What is it?");
});

test("words of the relay show when they are heard", () => {
  const answered = play(...QUESTION, ...ANSWER);
  assert.equal(told(answered)[1], "relay live: ");
  assert.equal(told(reduce(answered, { type: "page.said", id: "b", characters: 7, whole: false }))[1], "relay live: It is a");
  assert.equal(told(reduce(answered, { type: "page.said", id: "b", characters: 0, whole: true }))[1], "relay done: It is a relay for voices.");
});

test("an interrupted reply ends where it was heard to, and then where the relay says it was", () => {
  const cut = play(...QUESTION, ...ANSWER, { type: "page.said", id: "b", characters: 13, whole: false }, { type: "page.cut", id: "b" });
  assert.equal(told(cut)[1], "relay cut: It is a relay");
  const late = reduce(cut, { type: "response.output_audio_transcript.delta", response_id: "r", item_id: "b", delta: " Late" });
  assert.equal(told(late)[1], "relay cut: It is a relay");
  const item: Item = { id: "b", type: "message", role: "assistant", content: [{ type: "output_audio", transcript: "It is a" }] };
  assert.equal(told(reduce(late, { type: "conversation.item.retrieved", item }))[1], "relay cut: It is a");
});

test("a reply of which nothing was heard is not there", () => {
  assert.equal(play(...QUESTION, ...ANSWER, { type: "page.cut", id: "b" }).length, 1);
});

test("a reply shows what it cites, by its numbers", () => {
  const item: Item = { ...message("b", "assistant", "output_audio", ""), metadata: { citations: [{ index: 1, title: "Leaflet" }] } };
  const done = play(...QUESTION, ...ANSWER, { type: "conversation.item.done", item });
  assert.deepEqual(done[1]?.sources, [{ index: 1, title: "Leaflet" }]);
  assert.deepEqual([...numbers("Here [1], [3, 5–6] and [2024] or [x] [")], [1, 3, 5, 6]);
});

test("a cough leaves nothing behind", () => {
  const cough: Happening = { type: "conversation.item.input_audio_transcription.completed", item_id: "a", transcript: " " };
  assert.deepEqual(play(...QUESTION, cough), []);
});

test("after a broken line a new session is told what was said, in its order and as it was heard", () => {
  const broken = play(
    { type: "conversation.item.added", item: message("t", "user", "input_text", "Hello") },
    ...QUESTION,
    ...ANSWER,
    { type: "page.said", id: "b", characters: 7, whole: false },
    { type: "page.broken" },
  );
  const items = replay(broken).map(({ item }) => [item.id, item.role, item.content?.[0]?.type, item.content?.[0]?.text]);
  assert.deepEqual(items, [
    ["t", "user", "input_text", "Hello"],
    ["a", "user", "input_text", "What is it?"],
    ["b", "assistant", "output_text", "It is a"],
  ]);
  assert.equal(unanswered(broken), false);
  assert.equal(unanswered(broken.slice(0, 2)), true);
});

test("what comes back from a replay is known already", () => {
  const before = play(...QUESTION, ...ANSWER);
  assert.deepEqual(reduce(before, { type: "conversation.item.added", item: message("a", "user", "input_text", "What is it?") }), before);
});
