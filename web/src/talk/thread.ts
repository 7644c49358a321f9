/**
 * The conversation that is open: what is on the screen of it, what is kept of it, and what is typed in it while nobody calls.
 *
 * A new one is kept from its first words on. A call tells its words itself; everything else comes by the chat socket.
 */

import { batch, signal } from "@preact/signals";

import { type Access, Failed, Refused } from "../relay/access.ts";
import { Chat, type ChatEvent } from "../relay/chat.ts";
import { AROUND, around, begin, message, messages, type Session, session } from "../relay/conversations.ts";
import type { Notice } from "./notice.ts";
import { type Entry, type Happening, reduce } from "./transcript.ts";

export class Thread {
  readonly entries = signal<readonly Entry[]>([]);
  /** As the relay keeps it; null: nothing of it is kept yet. */
  readonly session = signal<Session | null>(null);
  /** There is more of it than is shown. */
  readonly more = signal(false);
  /** The message for which somebody opened it. */
  readonly place = signal<string | null>(null);
  /** The entry right before which something is not shown. */
  readonly gap = signal<string | null>(null);
  /** An answer is being written. */
  readonly writing = signal(false);
  /** Something goes wrong that the person should know. */
  oncomplaint: (notice: Notice | null) => void = () => {};
  onrefused: () => void = () => {};
  /** Whether a call of this page is where it is spoken. */
  calling: () => boolean = () => false;

  readonly #access: Access;
  /** Known before anything is kept. */
  #id: string | null = null;
  #chat: Chat | null = null;
  /** Typed, and not known to have arrived: by what the page calls it. */
  #unsent = new Map<string, string>();
  /** Being kept for the first time. */
  #making: Promise<string | null> | null = null;
  /** Counts the conversations that were open; what belongs to an earlier one is too late. */
  #number = 0;
  #forgotten = new Set<string>();
  #offline = false;
  /** The key opens no conversations. */
  #barred = false;
  /** All that was said before is shown. */
  #all = false;

  constructor(access: Access) {
    this.#access = access;
  }

  get id(): string | null {
    return this.#id;
  }

  /** Shows another conversation: its end, or what is around this message of it. */
  open(kept: Session, place: string | null): void {
    this.clear();
    this.place.value = place;
    this.#id = kept.id;
    this.session.value = kept;
    this.#follow();
  }

  /** Begins a new one; the one before stays kept. */
  clear(): void {
    this.#chat?.close();
    this.#chat = null;
    this.#id = null;
    this.#number += 1;
    this.#making = null;
    this.#all = false;
    this.#barred = false;
    this.#unsent.clear();
    batch(() => {
      this.entries.value = [];
      this.session.value = null;
      this.place.value = null;
      this.gap.value = null;
      this.more.value = false;
      this.writing.value = false;
    });
  }

  /** A call takes place in the conversation of this id. */
  join(id: string): void {
    if (id === this.#id) return;
    this.#chat?.close();
    this.#chat = null;
    this.#id = id;
    this.session.value = null;
  }

  tell(event: Happening): void {
    this.entries.value = reduce(this.entries.value, event);
  }

  /** Looks what is kept of it by now: its title, and from the first time on every turn. */
  async settle(): Promise<void> {
    const id = this.#id;
    if (!id) return;
    try {
      const kept = await session(this.#access, id);
      if (id !== this.#id) return;
      this.session.value = kept;
      this.#follow();
    } catch (error) {
      if (error instanceof Refused && id === this.#id) this.onrefused();
      // Nothing of it is kept yet, or the relay is away: it is looked for again after the next turn.
    }
  }

  /** Something typed, which is answered in writing; false where the key is for live voice alone. */
  async type(text: string): Promise<boolean> {
    if (this.#barred) return false;
    // Not randomUUID: plain http has none.
    const name = [...crypto.getRandomValues(new Uint32Array(4))].map((part) => part.toString(36)).join("-");
    this.#unsent.set(name, text);
    this.writing.value = true;
    this.tell({ type: "page.typed", id: name, text });
    if (await this.kept()) this.#say(name, text);
    if (!this.#barred) return true;
    this.oncomplaint(null);
    this.#unsent.delete(name);
    this.entries.value = this.entries.value.filter((entry) => entry.id !== name);
    return false;
  }

  /** Wants no more of the answer that is being written. */
  stop(): void {
    this.#chat?.cancel();
  }

  /** The conversation's id, once it is one that is kept; null where that could not be done, which is told. */
  kept(): Promise<string | null> {
    if (this.session.value) return Promise.resolve(this.#id);
    // Two that ask at once mean the same one.
    const making = (this.#making ??= this.#make().finally(() => {
      if (this.#making === making) this.#making = null;
    }));
    return making;
  }

  /** Reads a message again, whose files have changed. */
  async look(id: string): Promise<void> {
    const found = await message(this.#access, id).catch(() => null);
    if (found) this.tell({ type: "page.kept", message: found, calling: this.calling() });
  }

  /** A message is not kept any more, whatever is told of it late. */
  forget(id: string): void {
    this.#forgotten.add(id);
    this.entries.value = this.entries.value.filter((entry) => entry.message !== id);
  }

  /** Shows all of it. */
  async whole(): Promise<void> {
    const id = this.#id;
    if (!id) return;
    const past = await messages(this.#access, id).catch(() => null);
    if (!past || id !== this.#id) return;
    this.tell({ type: "page.past", messages: past, calling: this.calling() });
    this.#all = true;
    this.gap.value = null;
    this.more.value = false;
  }

  /** Shows what is around the message that is looked for, where that is further back than what is shown. */
  async #reach(): Promise<void> {
    const [id, place] = [this.#id, this.place.value];
    const shown = (message: string) => this.entries.value.some((entry) => entry.message === message);
    if (!id || !place || shown(place)) return;
    const found = await around(this.#access, id, place).catch(() => null);
    if (!found || place !== this.place.value || this.#all) return;
    const meets = found.items.some((message) => shown(message.id));
    batch(() => {
      if (!meets) this.gap.value = this.entries.value[0]?.id ?? null;
      this.tell({ type: "page.past", messages: found.items, calling: this.calling() });
      // With fewer before it, the conversation begins there.
      this.more.value = found.items.findIndex((message) => message.id === place) === AROUND / 2;
    });
  }

  async #make(): Promise<string | null> {
    const number = this.#number;
    try {
      // What a call began is kept with its first words.
      const there = this.#id ? await session(this.#access, this.#id).catch(absent) : null;
      const made = there ?? (await begin(this.#access));
      if (number !== this.#number) return null;
      this.#id = made.id;
      this.session.value = made;
      this.#follow();
      return made.id;
    } catch (error) {
      if (number !== this.#number) return null;
      this.writing.value = false;
      this.#barred = error instanceof Failed && error.status === 403;
      if (error instanceof Refused) this.onrefused();
      else this.#complain(error instanceof Error ? error.message : "That did not work.", this.#barred ? undefined : () => void this.#resend());
      return null;
    }
  }

  #follow(): void {
    if (this.#chat || !this.#id) return;
    this.#chat = new Chat(this.#access, this.#id, {
      event: (event) => this.#take(event),
      broken: () => this.#broken(),
      gone: () => this.#gone(),
      refused: () => this.onrefused(),
    });
  }

  #take(event: ChatEvent): void {
    const calling = this.calling();
    switch (event.type) {
      case "connected":
        this.tell({ type: "page.followed" });
        return;
      case "history":
        this.tell({ type: "page.past", messages: event.messages, calling });
        this.more.value = event.has_more && !this.#all;
        this.#back();
        void this.#reach();
        return;
      case "chunk":
        this.writing.value = true;
        this.tell({ type: "page.chunk", message: event.message_id, text: event.content });
        return;
      case "user_message.created":
        if (this.#forgotten.has(event.message.id)) return;
        if (event.message.client_message_id) this.#unsent.delete(event.message.client_message_id);
        this.tell({ type: "page.kept", message: event.message, calling });
        return;
      case "message.done":
        if (event.message.role === "assistant" && event.message.status !== "in_progress") this.writing.value = false;
        this.tell({ type: "page.kept", message: event.message, calling });
        if (!this.session.value?.title) void this.settle();
        return;
      case "error":
        this.#failed(event);
    }
  }

  /** The line is there again: what may not have arrived is sent once more. */
  #back(): void {
    if (this.#offline) this.oncomplaint(null);
    this.#offline = false;
    for (const [name, text] of this.#unsent) this.#say(name, text);
  }

  #broken(): void {
    if (this.calling() || (this.#offline && this.#unsent.size === 0)) return;
    this.#offline = true;
    this.oncomplaint({ tone: "wrong", text: "The relay does not answer. Trying again…" });
  }

  /** What was still to be said can be said in a new one. */
  #gone(): void {
    const unsent = [...this.#unsent.values()];
    this.clear();
    this.#complain("This conversation was deleted.", unsent.length > 0 ? () => unsent.forEach((text) => void this.type(text)) : undefined);
  }

  #failed({ code, message: text, client_message_id: name }: Extract<ChatEvent, { type: "error" }>): void {
    if (code === "nothing_to_cancel") return;
    this.writing.value = false;
    if (code === "cancelled") return;
    const said = name ? this.#wordsOf(name) : undefined;
    this.#complain(text, name && said ? () => this.#again(name, said) : undefined);
  }

  /** Sent under the same name it is kept once, and its answer is made. */
  #again(name: string, text: string): void {
    this.writing.value = true;
    this.#unsent.set(name, text);
    this.#say(name, text);
  }

  async #resend(): Promise<void> {
    if (!(await this.kept())) return;
    for (const [name, text] of this.#unsent) this.#again(name, text);
  }

  #wordsOf(name: string): string | undefined {
    return this.#unsent.get(name) ?? this.entries.value.find((entry) => entry.id === name)?.text;
  }

  /** Where there is no line yet it goes out with the next one. */
  #say(name: string, text: string): void {
    this.#chat?.say(text, name);
  }

  #complain(text: string, again?: () => void): void {
    this.oncomplaint({ tone: "wrong", text, ...(again ? { again } : {}) });
  }
}

function absent(error: unknown): null {
  if (error instanceof Failed && error.status === 404) return null;
  throw error;
}
