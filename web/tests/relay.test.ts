import assert from "node:assert/strict";
import { test } from "node:test";

import { Access } from "../src/relay/access.ts";
import { backoff } from "../src/relay/backoff.ts";
import { type Catalog, type Engine, inUse, languages, voices } from "../src/relay/catalog.ts";
import { loadChoices, USUAL } from "../src/talk/choices.ts";

const storage = () => {
  const kept = new Map<string, string>();
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  };
};

test("the pass comes from the fragment, stays for the tab and can be forgotten", () => {
  const kept = storage();
  const access = new Access("http://here", kept);
  assert.equal(access.admit("#other=1"), false);
  assert.equal(access.known, false);
  assert.equal(access.admit("#key=vr_one"), true);
  assert.equal(new Access("http://here", kept).known, true);
  access.forget();
  assert.equal(new Access("http://here", kept).known, false);
});

test("attempts come soon at first and never long apart", () => {
  const waits = [0, 1, 2, 3, 4, 5, 50].map((attempt) => backoff(attempt, () => 1));
  assert.deepEqual(waits, [500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
  assert.ok(backoff(0, () => 0) < backoff(0, () => 1));
});

const engine = (name: string, kind: Engine["kind"], more: Partial<Engine> = {}): Engine => ({ name, kind, default: false, healthy: true, state: "healthy", languages: [], ...more });
const CATALOG: Catalog = {
  engines: [
    engine("local/whisper", "stt", { default: true, languages: ["en", "de"] }),
    engine("cloud/nova", "stt", { languages: ["en", "x-no-such-language-code"] }),
    engine("local/hibari", "tts", { default: true, healthy: false }),
    engine("local/flite", "tts"),
    engine("cloud/eleven", "tts"),
  ],
  voices: [
    { id: "heart", name: "Heart", provider: "local/hibari" },
    { id: "slt", name: "slt", provider: "local/flite" },
    { id: "r4", name: "Rachel", provider: "cloud/eleven" },
  ],
};

test("voices are named as a session names them", () => {
  assert.deepEqual(voices(CATALOG).map(({ value }) => value), ["local/hibari", "local/flite", "cloud/r4"]);
});

test("languages are those that somebody understands, by name and in order", () => {
  const listed = languages(CATALOG, "en").map(({ label }) => label);
  assert.deepEqual(listed, ["English", "German", "x-no-such-language-code"]);
});

test("the engine in use is the chosen one, else the preferred one that works, else one that works", () => {
  assert.equal(inUse(CATALOG, "stt", "cloud/nova")?.name, "cloud/nova");
  assert.equal(inUse(CATALOG, "stt", "")?.name, "local/whisper");
  assert.equal(inUse(CATALOG, "tts", "")?.name, "local/flite");
});

test("choices that cannot be read are the usual ones", () => {
  const read = (text: string) => loadChoices({ getItem: () => text });
  assert.deepEqual(read("{"), USUAL);
  assert.deepEqual(read('{"carrier":"pigeon","voice":7,"pushToTalk":true}'), { ...USUAL, pushToTalk: true });
});
