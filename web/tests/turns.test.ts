import assert from "node:assert/strict";
import { test } from "node:test";

import type { ServerEvent } from "../src/relay/events.ts";
import { type Floor, type Move, turn } from "../src/talk/floor.ts";
import { bars, median, Stopwatch } from "../src/talk/waterfall.ts";

const response = (status: "in_progress" | "completed" | "cancelled") => ({ id: "r", status });
const floors = (...moves: Move[]) => {
  let floor: Floor = "open";
  return moves.map((move) => (floor = turn(floor, move)));
};

test("the turn goes from one to the other and back", () => {
  const went = floors(
    { type: "input_audio_buffer.speech_started", item_id: "a", audio_start_ms: 0 },
    { type: "input_audio_buffer.speech_stopped", item_id: "a", audio_end_ms: 900 },
    { type: "response.created", response: response("in_progress") },
    { type: "page.playback", sounding: true },
    { type: "response.done", response: response("completed") },
    { type: "page.playback", sounding: false },
  );
  assert.deepEqual(went, ["you", "thinking", "thinking", "relay", "relay", "open"]);
});

test("who interrupts keeps the turn, whatever ends meanwhile", () => {
  const went = floors(
    { type: "page.playback", sounding: true },
    { type: "input_audio_buffer.speech_started", item_id: "c", audio_start_ms: 0 },
    { type: "response.done", response: response("cancelled") },
    { type: "page.playback", sounding: false },
    { type: "page.playback", sounding: true },
  );
  assert.deepEqual(went, ["relay", "you", "you", "you", "you"]);
});

test("a turn without words is nobody's", () => {
  const went = floors(
    { type: "input_audio_buffer.speech_started", item_id: "a", audio_start_ms: 0 },
    { type: "input_audio_buffer.speech_stopped", item_id: "a", audio_end_ms: 900 },
    { type: "conversation.item.input_audio_transcription.completed", item_id: "a", transcript: "" },
  );
  assert.deepEqual(went, ["you", "thinking", "open"]);
});

const STORY: [number, ServerEvent][] = [
  [1_000, { type: "input_audio_buffer.speech_stopped", item_id: "a", audio_end_ms: 900 }],
  [1_180, { type: "conversation.item.input_audio_transcription.completed", item_id: "a", transcript: "Hi" }],
  [1_181, { type: "response.created", response: response("in_progress") }],
  [1_190, { type: "response.output_audio_transcript.delta", response_id: "r", item_id: "b", delta: "Good" }],
  [1_300, { type: "response.output_audio.delta", response_id: "r", item_id: "b" }],
  [1_400, { type: "response.output_audio.delta", response_id: "r", item_id: "b" }],
];

test("a waterfall counts from the end of speech, the quiet that ended the turn included", () => {
  const watch = new Stopwatch();
  const known = STORY.map(([now, event]) => watch.take(event, now, 500)).filter((turn) => turn !== null);
  assert.deepEqual(known.at(-1), { id: "a", kind: "spoken", endOfTurn: 500, transcript: 680, firstToken: 690, firstAudio: 800 });
  assert.equal(known.length, 3, "later sound changes nothing");
});

test("each bar begins where the one before ended", () => {
  const drawn = bars({ id: "a", kind: "spoken", endOfTurn: 500, transcript: 680, firstToken: 650, firstAudio: 800 });
  assert.deepEqual(drawn.map(({ from, to }) => [from, to]), [[0, 500], [500, 680], [650, 650], [680, 800]]);
});

test("another reply's sound is not this turn's", () => {
  const watch = new Stopwatch();
  watch.begin("t", "typed", 0);
  watch.take({ type: "response.created", response: response("in_progress") }, 10, 500);
  assert.equal(watch.take({ type: "response.output_audio.delta", response_id: "old", item_id: "x" }, 20, 500), null);
  assert.equal(watch.take({ type: "response.output_audio.delta", response_id: "r", item_id: "y" }, 30, 500)?.firstAudio, 30);
});

test("the median of an even number is one that was", () => {
  assert.equal(median([4, 1, 3, 2]), 2);
  assert.equal(median([]), undefined);
});
