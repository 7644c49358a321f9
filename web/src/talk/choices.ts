/** What the person has chosen; kept by the browser, and never anything secret. */

import type { Carrier } from "../relay/dial.ts";

export interface Choices {
  /** "": the relay's own choice, here and below. */
  model: string;
  recogniser: string;
  voice: string;
  /** "": whatever is spoken. */
  language: string;
  microphone: string;
  speaker: string;
  carrier: Carrier;
  /** Whether a turn is spoken with a key held down. */
  pushToTalk: boolean;
}

export const USUAL: Choices = {
  model: "",
  recogniser: "",
  voice: "",
  language: "",
  microphone: "",
  speaker: "",
  carrier: "auto",
  pushToTalk: false,
};

const KEPT = "voice-relay.choices";

export function loadChoices(storage: Pick<Storage, "getItem">): Choices {
  try {
    const kept = JSON.parse(storage.getItem(KEPT) ?? "{}") as Record<string, unknown>;
    const entries = Object.entries(USUAL).map(([key, usual]) => [key, typeof kept[key] === typeof usual ? kept[key] : usual]);
    const choices = Object.fromEntries(entries) as Choices;
    return ["auto", "webrtc", "websocket"].includes(choices.carrier) ? choices : { ...choices, carrier: "auto" };
  } catch {
    return USUAL;
  }
}

export function keepChoices(storage: Pick<Storage, "setItem">, choices: Choices): void {
  storage.setItem(KEPT, JSON.stringify(choices));
}
