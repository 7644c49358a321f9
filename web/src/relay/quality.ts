/** How good the line is: what was measured, and what people would say of it (ITU-T G.107, E-model, simplified). */

export interface Quality {
  /** Round trip, milliseconds. */
  rttMs?: number;
  /** Share of packets lost, or of playback time that stood still, 0–1. */
  loss?: number;
  /** Variation of arrival, milliseconds. */
  jitterMs?: number;
  /** Mean opinion score, 1–4.5. */
  mos?: number;
}

/** The score for a one-way delay in milliseconds and a share of loss. */
export function mos(oneWayMs: number, loss: number): number {
  const delay = 0.024 * oneWayMs + 0.11 * Math.max(0, oneWayMs - 177.3);
  const percent = Math.min(Math.max(loss, 0), 1) * 100;
  const impairment = 95 * (percent / (percent + ROBUSTNESS));
  const r = Math.min(Math.max(BASE - delay - impairment, 0), 100);
  // The curve dips below the scale's end for lines that nobody could use.
  return Math.max(1, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6);
}

/** One-way delay from mouth to ear: half the round trip, a jitter buffer, and a packet's length at both ends. */
export function mouthToEar(rttMs: number, jitterMs: number): number {
  return rttMs / 2 + Math.max(20, 2 * jitterMs) + 40;
}

/** In one word, for people. */
export function verdict(score: number): "excellent" | "good" | "fair" | "poor" {
  if (score >= 4.2) return "excellent";
  if (score >= 3.8) return "good";
  return score >= 3.1 ? "fair" : "poor";
}

/** R of a clean line (G.107, default values). */
const BASE = 93.2;
/** Bpl: how well loss is concealed; of a codec with concealment, at random loss (G.113, appendix I). */
const ROBUSTNESS = 10;

/** The running totals of WebRTC's statistics that the shares are made of. */
export interface Totals {
  received: number;
  lost: number;
}

/** Reads a report of `RTCPeerConnection.getStats`; `before` are the totals of the last reading. */
export function readStats(report: Iterable<Record<string, unknown>>, before: Totals): { quality: Quality; totals: Totals } {
  const quality: Quality = {};
  const totals = { ...before };
  let sent = 0;
  for (const entry of report) {
    if (entry["type"] === "inbound-rtp" && entry["kind"] === "audio") {
      totals.received = number(entry["packetsReceived"]);
      totals.lost = Math.max(0, number(entry["packetsLost"]));
      quality.jitterMs = number(entry["jitter"]) * 1000;
    } else if (entry["type"] === "remote-inbound-rtp" && entry["kind"] === "audio") {
      sent = number(entry["fractionLost"]);
      if (entry["roundTripTime"] !== undefined) quality.rttMs ??= number(entry["roundTripTime"]) * 1000;
    } else if (entry["type"] === "candidate-pair" && entry["nominated"] === true && entry["currentRoundTripTime"] !== undefined) {
      quality.rttMs = number(entry["currentRoundTripTime"]) * 1000;
    }
  }
  const lost = Math.max(0, totals.lost - before.lost);
  const all = lost + Math.max(0, totals.received - before.received);
  quality.loss = Math.max(sent, all > 0 ? lost / all : 0);
  return { quality: withMos(quality), totals };
}

/** Adds the score, where the round trip is known. */
export function withMos(quality: Quality): Quality {
  if (quality.rttMs === undefined) return quality;
  return { ...quality, mos: mos(mouthToEar(quality.rttMs, quality.jitterMs ?? 0), quality.loss ?? 0) };
}

const number = (value: unknown): number => (typeof value === "number" && Number.isFinite(value) ? value : 0);
