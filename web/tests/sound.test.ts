import assert from "node:assert/strict";
import { test } from "node:test";

import { loudness } from "../src/sound/level.ts";
import { PlayQueue } from "../src/sound/queue.ts";
import { Resampler, toPcm } from "../src/sound/resample.ts";

const tone = (rate: number, hertz: number, seconds: number) => Float32Array.from({ length: rate * seconds }, (_, at) => 0.5 * Math.sin((2 * Math.PI * hertz * at) / rate));
const power = (samples: Float32Array) => samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;

/** As an audio thread gives it: 128 samples at a time. */
function resample(input: Float32Array, from: number, to: number): Float32Array {
  const resampler = new Resampler(from, to);
  const parts: number[] = [];
  for (let at = 0; at < input.length; at += 128) parts.push(...resampler.push(input.subarray(at, at + 128)));
  return Float32Array.from(parts);
}

for (const rate of [16_000, 44_100, 48_000]) {
  test(`a voice at ${rate} Hz keeps its length and its strength at 24 kHz`, () => {
    const output = resample(tone(rate, 440, 1), rate, 24_000);
    assert.ok(Math.abs(output.length - 24_000) <= 32, `${output.length}`);
    assert.ok(Math.abs(power(output.subarray(200)) / 0.125 - 1) < 0.02);
  });
}

test("what 24 kHz cannot hold is taken out, not folded back", () => {
  assert.ok(power(resample(tone(48_000, 15_000, 1), 48_000, 24_000).subarray(200)) < 0.125 / 1_000);
});

test("samples beyond full scale are held at it", () => {
  assert.deepEqual([...toPcm(Float32Array.of(-2, 0, 2))], [-32767, 0, 32767]);
});

const piece = (ms: number) => new Int16Array(ms * 24).fill(16_384);
const render = (queue: PlayQueue, ms: number) => {
  const out = new Float32Array(ms * 24);
  queue.render(out);
  return out;
};

test("sound waits for a little in hand, and what is complete does not", () => {
  const queue = new PlayQueue(24_000);
  queue.push("a", piece(20));
  assert.equal(render(queue, 10)[0], 0);
  queue.push("a", piece(40));
  assert.equal(render(queue, 10)[0], 0.5);
  const short = new PlayQueue(24_000);
  short.push("b", piece(20));
  short.finish("b");
  assert.equal(render(short, 10)[0], 0.5);
});

test("the position is that of the message that sounds", () => {
  const queue = new PlayQueue(24_000);
  queue.push("a", piece(100));
  queue.push("b", piece(100));
  render(queue, 130);
  assert.deepEqual({ ...queue.position(), totalMs: 0 }, { item: "b", playedMs: 30, waitingMs: 70, sounding: true, totalMs: 0, starvedMs: 0 });
});

test("a flush is silence at once, and how far it was stays known", () => {
  const queue = new PlayQueue(24_000);
  queue.push("a", piece(500));
  render(queue, 200);
  queue.flush();
  assert.ok(render(queue, 20).every((sample) => sample === 0));
  const { playedMs, waitingMs, starvedMs } = queue.position();
  assert.deepEqual([playedMs, waitingMs, starvedMs], [200, 0, 0]);
});

test("a gap in the middle of a message is counted, the silence after it is not", () => {
  const queue = new PlayQueue(24_000);
  queue.push("a", piece(100));
  render(queue, 150);
  assert.equal(queue.position().starvedMs, 50);
  queue.push("a", piece(100));
  queue.finish("a");
  render(queue, 300);
  assert.equal(queue.position().starvedMs, 50);
});

test("a meter shows silence as nothing and a voice close by as nearly all", () => {
  assert.equal(loudness(new Float32Array(100)), 0);
  assert.ok(loudness(tone(1_000, 100, 1)) > 0.9);
});
