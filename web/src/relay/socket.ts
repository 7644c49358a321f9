/** The line over a WebSocket: we send the microphone's sound and play the reply, so we say what was heard of it. */

import { OpenAIRealtimeWebSocket, type TransportLayerAudio } from "@openai/agents-realtime";

import { RATE, Speaker } from "../sound/speaker.ts";
import type { ServerEvent } from "./events.ts";
import type { Line, Opening } from "./line.ts";
import { type Quality, withMos } from "./quality.ts";

/** The SDK's transport with a loudspeaker, which knows better than the clock what was heard. */
class Transport extends OpenAIRealtimeWebSocket {
  readonly #speaker: Speaker;

  constructor(url: string, speaker: Speaker) {
    super({ url });
    this.#speaker = speaker;
  }

  protected override _onAudio({ data }: TransportLayerAudio): void {
    if (this.currentItemId) this.#speaker.play(this.currentItemId, new Int16Array(data));
  }

  /** The SDK calls this when the person begins to speak; `cancel` unless the relay has ended the reply by itself. */
  override interrupt(cancel = true): void {
    if (cancel) this._cancelResponse();
    const heard = this.#speaker.flush();
    this.emit("audio_interrupted");
    if (!heard) return;
    this.sendEvent({ type: "conversation.item.truncate", item_id: heard.item, content_index: 0, audio_end_ms: Math.floor(heard.heardMs) });
  }
}

export async function openSocket(opening: Opening): Promise<Line> {
  const { origin, model, microphone, listener } = opening;
  const context = new AudioContext({ sampleRate: RATE, latencyHint: "interactive" });
  void context.resume();
  const speaker = await Speaker.open(context);
  const url = `${origin.replace(/^http/, "ws")}/v1/realtime?model=${encodeURIComponent(model)}`;
  const transport = new Transport(url, speaker);
  let open = true;
  const leave = () => {
    if (!open) return;
    open = false;
    if (microphone) microphone.onpiece = null;
    transport.close();
    speaker.close();
    void context.close();
  };
  transport.on("*", (event) => {
    const told = event as unknown as ServerEvent;
    if (told.type === "response.output_audio.done") speaker.finish(told.item_id);
    listener.event(told);
  });
  transport.on("error", () => {
    // Errors of the protocol come as events too; those of the socket end in `disconnected`.
  });
  transport.on("disconnected", () => {
    if (!open) return;
    leave();
    listener.lost();
  });
  try {
    await transport.connect({ apiKey: opening.grant.secret, model, initialSessionConfig: opening.session });
    await route(context, opening.speaker);
  } catch (error) {
    leave();
    throw error;
  }
  const send = (samples: Int16Array<ArrayBuffer>) => transport.sendAudio(samples.buffer);
  if (microphone) microphone.onpiece = send;
  return {
    kind: "websocket",
    send: (event) => transport.sendEvent(event),
    interrupt: () => transport.interrupt(),
    heard: (item) => speaker.heard(item),
    length: (item) => speaker.length(item),
    get sounding() {
      return speaker.sounding;
    },
    level: () => speaker.level.read(),
    renew: async (renewed) => {
      renewed.onpiece = send;
    },
    route: (device) => route(context, device),
    quality: () => quality(origin, speaker),
    close: leave,
  };
}

async function route(context: AudioContext, device: string): Promise<void> {
  // Not in every browser, and not in every library of types.
  const able = context as AudioContext & { setSinkId?: (id: string) => Promise<void> };
  if (device || able.setSinkId) await able.setSinkId?.(device).catch(() => {});
}

/**
 * A WebSocket tells nothing of its packets: the round trip is that of a small request, and what is lost shows as playback that
 * stood still. That is the fault of whoever was slow, a voice perhaps, so the score is of the delay alone.
 */
async function quality(origin: string, speaker: Speaker): Promise<Quality> {
  const began = performance.now();
  await fetch(`${origin}/health`, { cache: "no-store" });
  return { ...withMos({ rttMs: performance.now() - began }), loss: speaker.starved };
}
