/** One connection with the relay, whatever carries it. A line that broke is not mended: another one takes its place. */

import type { RealtimeSessionConfig } from "@openai/agents-realtime";

import type { Microphone } from "../sound/microphone.ts";
import type { Grant } from "./access.ts";
import type { ClientEvent, ServerEvent } from "./events.ts";
import type { Quality } from "./quality.ts";

export type Kind = "webrtc" | "websocket";

export interface Line {
  readonly kind: Kind;
  send(event: ClientEvent): void;
  /** Stops the reply, the sound of it first. */
  interrupt(): void;
  /** How much of a message has been heard, milliseconds; null before it sounds. */
  heard(item: string): number | null;
  /** How long all of a message is, milliseconds; undefined while that is not known. */
  length(item: string): number | undefined;
  /** Whether the reply can be heard now. */
  readonly sounding: boolean;
  /** How loud the reply is, 0–1. */
  level(): number;
  /** The microphone's device has changed. */
  renew(microphone: Microphone): Promise<void>;
  /** Where it sounds; a device's id, or "" for the usual one. */
  route(speaker: string): Promise<void>;
  quality(): Promise<Quality>;
  close(): void;
}

/** Who is told what happens on a line. */
export interface Listener {
  event(event: ServerEvent): void;
  /** The line is gone, and nobody here closed it. */
  lost(): void;
}

/** What it takes to open one. */
export interface Opening {
  origin: string;
  grant: Grant;
  model: string;
  session: Partial<RealtimeSessionConfig>;
  /** None: the person types only. */
  microphone: Microphone | null;
  speaker: string;
  listener: Listener;
}
