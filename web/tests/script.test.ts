import assert from "node:assert/strict";
import { test } from "node:test";

import { Pace, spoken, weight } from "../src/talk/script.ts";

const TEXT = "12 times 7 is 84. Is there more?";

test("nothing is shown before it sounds, and all of it once it has sounded", () => {
  assert.equal(spoken(TEXT, 0, new Pace(), 3_000), 0);
  assert.equal(spoken(TEXT, 3_000, new Pace(), 3_000), TEXT.length);
  assert.equal(spoken("", 500, new Pace()), 0);
});

test("words come whole, one after the other", () => {
  let last = 0;
  for (let ms = 0; ms <= 3_000; ms += 20) {
    const end = spoken(TEXT, ms, new Pace(), 3_000);
    assert.ok(end >= last);
    assert.ok(end === TEXT.length || end === 0 || /\s/.test(TEXT[end] ?? ""), `${ms} ms cuts a word: ${TEXT.slice(0, end)}`);
    last = end;
  }
});

test("digits and pauses take their time", () => {
  assert.ok(weight("84.") > weight("it is"));
  assert.equal(TEXT.slice(0, spoken(TEXT, 1_000, new Pace(), 3_000)), "12 times 7");
});

test("the pace is learnt from what was heard to its end", () => {
  const pace = new Pace();
  const text = "a sentence of a fair length, spoken slowly";
  for (let time = 0; time < 8; time++) pace.learn(text, weight(text) * 100);
  assert.ok(Math.abs(pace.msPerWeight - 100) < 2);
  pace.learn("yes", 5_000);
  assert.ok(Math.abs(pace.msPerWeight - 100) < 2, "a single word says nothing");
});

test("scripts without spaces go by characters", () => {
  const text = "今日は良い天気です";
  assert.ok(spoken(text, 500, new Pace(), 2_000) > 0);
  assert.ok(spoken(text, 500, new Pace(), 2_000) < text.length);
});
