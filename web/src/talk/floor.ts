/** Who has the turn. */

import type { ServerEvent } from "../relay/events.ts";

/** `open`: whoever speaks first; `thinking`: the relay has it and nothing is heard yet. */
export type Floor = "open" | "you" | "thinking" | "relay";

/** `playback` is what the page hears of the reply: its first sound, its last. */
export type Move = ServerEvent | { type: "page.playback"; sounding: boolean } | { type: "page.broken" };

export function turn(floor: Floor, event: Move): Floor {
  switch (event.type) {
    case "input_audio_buffer.speech_started":
      return "you";
    case "input_audio_buffer.speech_stopped":
    case "input_audio_buffer.committed":
      return floor === "you" || floor === "open" ? "thinking" : floor;
    case "conversation.item.input_audio_transcription.completed":
      // Nothing was said, so nothing will be answered.
      return floor === "thinking" && !event.transcript.trim() ? "open" : floor;
    case "response.created":
      return floor === "you" ? floor : "thinking";
    case "response.done":
      return floor === "thinking" && event.response.status !== "completed" ? "open" : floor;
    case "page.playback":
      if (event.sounding) return floor === "you" ? floor : "relay";
      return floor === "relay" ? "open" : floor;
    case "page.broken":
      return "open";
    default:
      return floor;
  }
}
