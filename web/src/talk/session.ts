/** The settings of a session that the person's choices come to. */

import type { RealtimeSessionConfig } from "@openai/agents-realtime";

import type { Choices } from "./choices.ts";

/** For the SDK, in its own spelling. What is left out is the relay's choice. */
export function sessionOf(choices: Choices): Partial<RealtimeSessionConfig> {
  return {
    outputModalities: ["audio"],
    tracing: null,
    audio: {
      input: {
        transcription: {
          model: choices.recogniser || "gpt-4o-mini-transcribe",
          ...(choices.language ? { language: choices.language } : {}),
        },
        turnDetection: choices.pushToTalk ? null : { type: "server_vad", create_response: true, interrupt_response: true },
      },
      output: choices.voice ? { voice: choices.voice } : {},
    },
  };
}
