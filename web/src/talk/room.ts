/** Where a conversation takes place: who may come in, what the relay offers, which devices there are, what was chosen. */

import { signal } from "@preact/signals";

import { type Access, Refused } from "../relay/access.ts";
import { type Catalog, fetchCatalog } from "../relay/catalog.ts";
import { type Devices, listDevices, NONE } from "../sound/devices.ts";
import { Call } from "./call.ts";
import { type Choices, keepChoices, loadChoices } from "./choices.ts";
import { Shelf } from "../shelf/shelf.ts";
import { Thread } from "./thread.ts";

export class Room {
  readonly call: Call;
  readonly thread: Thread;
  readonly shelf: Shelf;
  /** `waiting`: perhaps another tab has a key; `asking`: one is wanted; `wrong`: the last one was refused. */
  readonly door = signal<"waiting" | "asking" | "wrong" | "open">("waiting");
  readonly catalog = signal<Catalog | null>(null);
  readonly devices = signal<Devices>(NONE);
  readonly choices = signal<Choices>(loadChoices(localStorage));
  readonly #access: Access;
  readonly #storage: Storage;
  readonly #channel = new BroadcastChannel("voice-relay");

  constructor(access: Access, storage: Storage) {
    this.#access = access;
    this.#storage = storage;
    if (access.known) this.door.value = "open";
    this.thread = new Thread(access);
    this.call = new Call(access, () => this.choices.value, this.thread);
    this.shelf = new Shelf(access, this.thread);
    this.call.onrefused = () => this.leave("wrong");
    this.shelf.onrefused(() => this.leave("wrong"));
    this.call.hearing.subscribe((hearing) => hearing && void this.lookAtDevices());
    navigator.mediaDevices?.addEventListener("devicechange", () => void this.lookAtDevices());
    // The relay need not wait for packets that will not come.
    addEventListener("pagehide", () => this.call.stop());
    setInterval(() => this.door.value === "open" && void this.enter(), LOOK_AGAIN_MS);
  }

  /** Comes in with the pass there is, and looks around. */
  async enter(): Promise<void> {
    if (!(await this.#access.share(this.#channel))) return this.leave("asking");
    try {
      this.catalog.value = await fetchCatalog(this.#access);
      this.door.value = "open";
      void this.shelf.measure();
    } catch (error) {
      if (error instanceof Refused) return this.leave("wrong");
      // A relay that starts again is worth waiting for: what there is to choose from comes later.
      this.door.value = "open";
    }
  }

  /** Something typed: answered aloud in a call, or where nothing else may be; else in writing. */
  type(text: string): void {
    const words = text.trim();
    if (!words) return;
    if (this.call.state.value.name === "idle") void this.thread.type(words).then((done) => done || this.call.type(words));
    else this.call.type(words);
  }

  async unlock(key: string): Promise<void> {
    this.#access.keep(key.trim());
    await this.enter();
  }

  /** Lets somebody in by e-mail and password; what was wrong with them, in words, or "". */
  async logIn(email: string, password: string): Promise<string> {
    try {
      await this.#access.logIn(email, password);
    } catch (error) {
      if (error instanceof Refused) return "That e-mail and password do not go together.";
      return error instanceof Error ? error.message : "That did not work.";
    }
    await this.enter();
    return "";
  }

  /** Whether it is a login, not a key, that lets us in. */
  get loggedIn(): boolean {
    return this.#access.loggedIn;
  }

  /** Shows nothing of what was there: whoever comes next may be somebody else. */
  leave(door: "asking" | "wrong"): void {
    this.call.stop();
    this.thread.clear();
    this.shelf.forget();
    this.#access.forget(door === "asking");
    this.door.value = door;
  }

  async lookAtDevices(): Promise<void> {
    this.devices.value = await listDevices();
  }

  async choose(change: Partial<Choices>): Promise<void> {
    const before = this.choices.value;
    this.choices.value = { ...before, ...change };
    keepChoices(this.#storage, this.choices.value);
    await this.call.apply(before);
  }
}

/** Engines fall ill and recover; what is said of them should not be old. */
const LOOK_AGAIN_MS = 30_000;
