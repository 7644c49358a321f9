// What the strict checks let pass and what not.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { fitsAgents, fitsTypes } from "./strict.mjs";

const folder = new URL("tests/golden/", `file://${process.env.RELAY_ROOT}/`);
const golden = (file) => JSON.parse(readFileSync(new URL(file, folder), "utf8"));

// Keys of a telephone: agents-realtime cannot be on the telephone, and knows no such event.
const TELEPHONE = "input_audio_buffer.dtmf_event_received";

test("every golden event suits every client", () => {
  const events = readdirSync(folder).filter((file) => file.endsWith(".json")).map(golden);
  for (const event of events.filter(({ type }) => type !== TELEPHONE)) fitsAgents(event);
  fitsTypes(events);
});

test("an event that is slightly wrong is refused", () => {
  const started = golden("input_audio_buffer.speech_started.json");
  assert.throws(() => fitsAgents({ ...started, audio_start_ms: "812" }), /drops/);
  assert.throws(() => fitsTypes([started, { ...started, audio_start_ms: "812" }]), /not assignable/);
  assert.throws(() => fitsTypes([{ ...started, item_id: null }]), /item_id/);
});
