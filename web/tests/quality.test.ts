import assert from "node:assert/strict";
import { test } from "node:test";

import { mos, mouthToEar, readStats, verdict, withMos } from "../src/relay/quality.ts";

test("a clean short line scores what G.107 gives its default values", () => {
  assert.ok(Math.abs(mos(0, 0) - 4.41) < 0.01);
});

test("delay hurts little below 177 ms and much above", () => {
  assert.ok(mos(0, 0) - mos(150, 0) < 0.15);
  assert.ok(mos(150, 0) - mos(400, 0) > 0.8);
});

test("loss hurts, and never falls out of the scale", () => {
  const scores = [0, 0.01, 0.05, 0.2, 1].map((loss) => mos(50, loss));
  assert.deepEqual(scores, [...scores].sort((a, b) => b - a));
  assert.equal(mos(9_999, 1), 1);
  assert.equal(verdict(scores[0] ?? 0), "excellent");
  assert.equal(verdict(scores[3] ?? 0), "poor");
});

test("shares are of the time since the last reading", () => {
  const inbound = { type: "inbound-rtp", kind: "audio", packetsReceived: 190, packetsLost: 20, jitter: 0.004 };
  const pair = { type: "candidate-pair", nominated: true, currentRoundTripTime: 0.03 };
  const { quality, totals } = readStats([inbound, pair], { received: 100, lost: 10 });
  assert.equal(quality.loss, 0.1);
  assert.equal(quality.rttMs, 30);
  assert.equal(quality.jitterMs, 4);
  assert.deepEqual(totals, { received: 190, lost: 20 });
  assert.ok((quality.mos ?? 0) < 4);
});

test("what the other side lost counts too, and nothing measured gives no score", () => {
  const remote = { type: "remote-inbound-rtp", kind: "audio", fractionLost: 0.2, roundTripTime: 0.05 };
  assert.equal(readStats([remote], { received: 0, lost: 0 }).quality.loss, 0.2);
  assert.equal(withMos({}).mos, undefined);
  assert.equal(mouthToEar(100, 0), 110);
});
