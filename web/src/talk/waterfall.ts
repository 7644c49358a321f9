/** How long each turn kept the person waiting, and on what. Times are milliseconds after the person stopped. */

import type { ServerEvent } from "../relay/events.ts";

export interface Turn {
  id: string;
  kind: "spoken" | "typed";
  /** The quiet that ended the turn; 0 where the person ended it themselves. */
  endOfTurn: number;
  transcript?: number;
  firstToken?: number;
  firstAudio?: number;
}

/** What the stages are called, in their usual order. */
export const STAGES = [
  ["endOfTurn", "End of turn"],
  ["transcript", "Transcript"],
  ["firstToken", "First token"],
  ["firstAudio", "First audio"],
] as const;

/** A bar of the picture: from the end of the stage before to its own. */
export interface Bar {
  stage: (typeof STAGES)[number][0];
  label: string;
  from: number;
  to: number;
}

export function bars(turn: Turn): Bar[] {
  let from = 0;
  const drawn: Bar[] = [];
  for (const [stage, label] of STAGES) {
    const to = turn[stage];
    if (to === undefined || (stage === "endOfTurn" && to === 0)) continue;
    drawn.push({ stage, label, from: Math.min(from, to), to });
    from = Math.max(from, to);
  }
  return drawn;
}

/** Holds the marks of the turn under way and hands it out when something is known of it. */
export class Stopwatch {
  #turn: Turn | null = null;
  #zero = 0;
  #response = "";

  /** The person sent something typed, or let go of the key. */
  begin(id: string, kind: Turn["kind"], now: number): void {
    this.#turn = { id, kind, endOfTurn: 0 };
    this.#zero = now;
    this.#response = "";
  }

  /** Takes an event at its time; gives the turn if it knows more of it now. `quietMs` is the quiet that ends a turn here. */
  take(event: ServerEvent, now: number, quietMs: number): Turn | null {
    switch (event.type) {
      case "input_audio_buffer.speech_stopped":
        this.#turn = { id: event.item_id, kind: "spoken", endOfTurn: quietMs };
        this.#zero = now - quietMs;
        this.#response = "";
        return null;
      case "conversation.item.input_audio_transcription.completed":
        return this.#mark("transcript", now);
      case "response.created":
        this.#response ||= event.response.id;
        return null;
      case "response.output_audio_transcript.delta":
      case "response.output_text.delta":
        return event.response_id === this.#response ? this.#mark("firstToken", now) : null;
      case "response.output_audio.delta":
      case "output_audio_buffer.started":
        return event.response_id === this.#response ? this.#mark("firstAudio", now) : null;
      default:
        return null;
    }
  }

  #mark(stage: "transcript" | "firstToken" | "firstAudio", now: number): Turn | null {
    if (!this.#turn || this.#turn[stage] !== undefined) return null;
    this.#turn = { ...this.#turn, [stage]: now - this.#zero };
    return this.#turn;
  }
}

/** The middle one, as people meet it. */
export function median(values: number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)];
}
