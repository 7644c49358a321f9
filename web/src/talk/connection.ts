/** Keeps a line with the relay: opens it, opens another when it breaks, until the person has had enough. */

import { type Signal, signal } from "@preact/signals";

import { type Access, Failed, type Grant, Refused } from "../relay/access.ts";
import { backoff } from "../relay/backoff.ts";
import { Dialler } from "../relay/dial.ts";
import type { ServerEvent } from "../relay/events.ts";
import type { Kind, Line } from "../relay/line.ts";
import type { Microphone } from "../sound/microphone.ts";
import type { Choices } from "./choices.ts";
import { sessionOf } from "./session.ts";

export type State =
  | { name: "idle" }
  | { name: "connecting" }
  | { name: "live"; kind: Kind }
  /** The line broke; the next attempt is under way or about to be. */
  | { name: "reconnecting"; attempt: number };

/** Who is told of it. */
export interface Keeper {
  /** `again`: after it was broken. `grant` says in which conversation. */
  opened(line: Line, again: boolean, grant: Grant): void;
  event(event: ServerEvent): void;
  /** The line is gone; another one is on its way. */
  broken(reason: string): void;
  /** Whoever this is may not talk; nothing more is tried. */
  barred(reason: string): void;
  /** The pass is not good any more; nothing more is tried. */
  refused(): void;
}

/** What a line is opened with. */
export interface Equipment {
  choices: Choices;
  microphone: Microphone | null;
  context: AudioContext;
  /** The conversation that goes on; null: a new one. */
  conversation: string | null;
}

export class Connection {
  readonly state: Signal<State> = signal<State>({ name: "idle" });
  readonly #access: Access;
  readonly #keeper: Keeper;
  readonly #dialler = new Dialler();
  #line: Line | null = null;
  /** Counts what was begun; what belongs to something earlier is too late. */
  #number = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(access: Access, keeper: Keeper) {
    this.#access = access;
    this.#keeper = keeper;
  }

  get line(): Line | null {
    return this.#line;
  }

  /** The person waits for it: from here on it is connecting, whatever else has to be there first. */
  prepare(): void {
    this.state.value = { name: "connecting" };
  }

  /** Opens a line, in the place of the one there is. */
  async open(equipment: () => Equipment): Promise<void> {
    this.#drop();
    this.prepare();
    await this.#attempt(this.#number, equipment, 0);
  }

  close(): void {
    this.#drop();
    this.state.value = { name: "idle" };
  }

  #drop(): void {
    this.#number++;
    clearTimeout(this.#timer);
    this.#line?.close();
    this.#line = null;
  }

  async #attempt(number: number, equipment: () => Equipment, attempt: number): Promise<void> {
    const { choices, microphone, context, conversation } = equipment();
    try {
      const grant = await this.#access.grant(choices.model, conversation);
      if (number !== this.#number) return;
      const listener = {
        event: (event: ServerEvent) => number === this.#number && this.#keeper.event(event),
        lost: () => number === this.#number && this.#retry(equipment, 0, "The line broke."),
      };
      const opening = { origin: location.origin, grant, model: grant.model, session: sessionOf(choices), microphone, speaker: choices.speaker, listener };
      const line = await this.#dialler.dial(opening, choices.carrier, context);
      if (number !== this.#number) return line.close();
      this.#line = line;
      this.state.value = { name: "live", kind: line.kind };
      this.#keeper.opened(line, attempt > 0, grant);
    } catch (error) {
      if (number !== this.#number) return;
      if (error instanceof Refused) return this.#keeper.refused();
      // Whoever may not talk may not talk later either.
      if (error instanceof Failed && error.status === 403) return this.#keeper.barred(error.message);
      this.#retry(equipment, attempt, error instanceof Error ? error.message : "The line broke.");
    }
  }

  #retry(equipment: () => Equipment, attempt: number, reason: string): void {
    this.#drop();
    const number = this.#number;
    this.state.value = { name: "reconnecting", attempt: attempt + 1 };
    this.#keeper.broken(reason);
    this.#timer = setTimeout(() => void this.#attempt(number, equipment, attempt + 1), backoff(attempt));
  }
}
