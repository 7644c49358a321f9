/** The line over WebRTC: the relay paces the sound and knows what was heard; we only play what comes. */

import { OpenAIRealtimeWebRTC } from "@openai/agents-realtime";

import { Level } from "../sound/level.ts";
import type { ServerEvent } from "./events.ts";
import type { Line, Opening } from "./line.ts";
import { Playout } from "./playout.ts";
import type { Microphone } from "../sound/microphone.ts";
import { readStats, type Totals } from "./quality.ts";

export const webrtcAvailable = (): boolean => typeof RTCPeerConnection !== "undefined";

export async function openWebRtc(opening: Opening & { microphone: Microphone }, context: AudioContext): Promise<Line> {
  const { origin, grant, listener, microphone } = opening;
  const audioElement = new Audio();
  const transport = new OpenAIRealtimeWebRTC({
    baseUrl: `${origin}/v1/realtime/calls`,
    mediaStream: microphone.stream,
    audioElement,
    changePeerConnection: (peer) => {
      if (grant.iceServers.length > 0) peer.setConfiguration({ iceServers: grant.iceServers });
      return peer;
    },
  });
  const playout = new Playout();
  let open = true;
  const leave = () => {
    if (!open) return;
    open = false;
    audioElement.srcObject = null;
    transport.close();
  };
  transport.on("*", (event) => {
    const told = event as unknown as ServerEvent;
    playout.take(told, performance.now());
    listener.event(told);
  });
  transport.on("error", () => {
    // Errors of the protocol come as events too; those of the connection end in `disconnected`.
  });
  transport.on("disconnected", () => {
    if (!open) return;
    leave();
    listener.lost();
  });
  try {
    const connecting = transport.connect({ apiKey: opening.grant.secret, model: opening.model, initialSessionConfig: opening.session });
    await within(connecting, PATIENCE_MS);
    await route(audioElement, opening.speaker);
  } catch (error) {
    leave();
    throw error;
  }
  const level = new Level(context);
  if (audioElement.srcObject instanceof MediaStream) {
    new MediaStreamAudioSourceNode(context, { mediaStream: audioElement.srcObject }).connect(level.node);
  }
  const peer = () => transport.connectionState.peerConnection;
  let totals: Totals = { received: 0, lost: 0 };
  return {
    kind: "webrtc",
    send: (event) => transport.sendEvent(event),
    interrupt: () => transport.interrupt(),
    heard: (item) => playout.heard(item, performance.now()),
    length: () => undefined,
    get sounding() {
      return playout.sounding;
    },
    level: () => level.read(),
    renew: async (renewed) => {
      await peer()?.getSenders().find((sender) => sender.track?.kind === "audio")?.replaceTrack(renewed.track);
    },
    route: (device) => route(audioElement, device),
    quality: async () => {
      const report = (await peer()?.getStats()) ?? new Map();
      const read = readStats(report.values() as Iterable<Record<string, unknown>>, totals);
      totals = read.totals;
      return read.quality;
    },
    close: leave,
  };
}

async function within<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("WebRTC did not connect in time")), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function route(element: HTMLAudioElement, device: string): Promise<void> {
  if (device || element.sinkId) await element.setSinkId?.(device).catch(() => {});
}

/** ICE and DTLS take well under a second where UDP passes. */
const PATIENCE_MS = 4_000;
