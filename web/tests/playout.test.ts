import assert from "node:assert/strict";
import { test } from "node:test";

import { Playout } from "../src/relay/playout.ts";

const message = (id: string, response_id = "r") => ({ type: "response.output_item.added", response_id, item: { id, type: "message" } }) as const;

test("what is heard counts from the first packet to the last", () => {
  const playout = new Playout();
  playout.take(message("a"), 0);
  assert.equal(playout.heard("a", 10), null);
  playout.take({ type: "output_audio_buffer.started", response_id: "r" }, 100);
  assert.deepEqual([playout.heard("a", 350), playout.heard("b", 350), playout.sounding], [250, null, true]);
  playout.take({ type: "output_audio_buffer.stopped", response_id: "r" }, 600);
  assert.deepEqual([playout.heard("a", 9_000), playout.sounding], [500, false]);
});

test("a second message of a reply begins where the first one ended", () => {
  const playout = new Playout();
  playout.take(message("a"), 0);
  playout.take({ type: "output_audio_buffer.started", response_id: "r" }, 100);
  playout.take(message("b"), 400);
  assert.deepEqual([playout.heard("a", 500), playout.heard("b", 500)], [null, 100]);
});

test("the next reply has not been heard because the last one was", () => {
  const playout = new Playout();
  playout.take(message("a"), 0);
  playout.take({ type: "output_audio_buffer.started", response_id: "r" }, 0);
  playout.take({ type: "output_audio_buffer.cleared", response_id: "r" }, 300);
  playout.take(message("b", "s"), 400);
  assert.equal(playout.heard("b", 500), null);
});
