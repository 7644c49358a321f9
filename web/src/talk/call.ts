/**
 * A conversation: begun, kept through broken lines, ended by the person alone.
 *
 * Everything on the screen is a signal here. What events mean is decided by pure functions (transcript, floor, waterfall); this
 * joins them to a connection, a microphone and a clock.
 */

import { signal } from "@preact/signals";

import type { Access, Grant } from "../relay/access.ts";
import type { Session } from "../relay/conversations.ts";
import type { ServerEvent } from "../relay/events.ts";
import type { Line } from "../relay/line.ts";
import type { Quality } from "../relay/quality.ts";
import { Microphone, NoMicrophone } from "../sound/microphone.ts";
import type { Choices } from "./choices.ts";
import { Connection } from "./connection.ts";
import { type Floor, type Move, turn } from "./floor.ts";
import type { Notice } from "./notice.ts";
import { Recital } from "./recital.ts";
import type { Thread } from "./thread.ts";
import { type Happening, replay, unanswered } from "./transcript.ts";
import { Stopwatch, type Turn } from "./waterfall.ts";

export class Call {
  readonly floor = signal<Floor>("open");
  readonly turns = signal<readonly Turn[]>([]);
  readonly quality = signal<Quality>({});
  readonly notice = signal<Notice | null>(null);
  readonly muted = signal(false);
  /** The key, or the button, of push-to-talk is down. */
  readonly holding = signal(false);
  /** There is a microphone, and it works. */
  readonly hearing = signal(false);

  readonly #connection: Connection;
  readonly #recital: Recital;
  readonly #stopwatch = new Stopwatch();
  readonly #choices: () => Choices;
  readonly #thread: Thread;
  #microphone: Microphone | null = null;
  #context: AudioContext | null = null;
  /** The quiet that ends a turn, milliseconds; 0 where the person ends it. */
  #quietMs = 0;
  #heldAt = 0;
  #measuring: ReturnType<typeof setInterval> | undefined;
  /** Typed before there was a line. */
  #unsent: string[] = [];
  /** The pass is not good any more; the person is asked for another. */
  onrefused: () => void = () => {};

  constructor(access: Access, choices: () => Choices, thread: Thread) {
    this.#choices = choices;
    this.#thread = thread;
    thread.calling = () => this.state.value.name !== "idle";
    thread.oncomplaint = (notice) => (this.notice.value = notice);
    thread.onrefused = () => this.onrefused();
    this.#connection = new Connection(access, {
      opened: (line, again, grant) => this.#opened(line, again, grant),
      event: (event) => this.#take(event),
      broken: (reason) => this.#broken(reason),
      barred: (reason) => {
        this.stop();
        this.#complain(reason);
      },
      refused: () => this.onrefused(),
    });
    this.#recital = new Recital({
      entries: () => thread.entries.value,
      tell: (event) => this.#tell(event),
      move: (event) => this.#move(event),
    });
  }

  get state() {
    return this.#connection.state;
  }

  /** How loud the person is, and how loud the reply, 0–1. Once a frame. */
  levels(): { you: number; relay: number } {
    const open = this.#microphone?.track.enabled ?? false;
    return { you: open ? (this.#microphone?.level.read() ?? 0) : 0, relay: this.#connection.line?.level() ?? 0 };
  }

  /** Begins to talk; from a click, or browsers keep the sound back. */
  async start(): Promise<void> {
    if (this.state.value.name !== "idle") return;
    this.notice.value = null;
    this.#connection.prepare();
    await this.#listen();
    if (this.#context) await this.#open();
  }

  /** Ends it; what was said stays on the screen, and the next call goes on from there. */
  stop(): void {
    void this.#thread.settle();
    this.#unsent = [];
    this.#hangUp();
    this.#connection.close();
    this.#microphone?.close();
    this.#microphone = null;
    this.hearing.value = false;
    void this.#context?.close();
    this.#context = null;
    this.quality.value = {};
  }

  /** Leaves the conversation, for a new one or for one that is kept, at this message of it. A call goes on in a new one. */
  leave(kept: Session | null, place: string | null = null): void {
    const running = this.state.value.name !== "idle";
    this.stop();
    if (kept) this.#thread.open(kept, place);
    else this.#thread.clear();
    this.turns.value = [];
    this.notice.value = null;
    if (running && !kept) void this.start();
  }

  /** Something typed, in the same conversation. Opens a line if there is none. */
  type(text: string): void {
    const words = text.trim();
    const { line } = this.#connection;
    if (!words) return;
    if (!line) {
      this.#unsent.push(words);
      if (this.state.value.name === "idle") void this.#open();
      return;
    }
    if (this.#recital.busy) this.#interrupt(line);
    const id = `item_${crypto.getRandomValues(new Uint32Array(3)).join("")}`.slice(0, 32);
    const content = [{ type: "input_text", text: words }];
    line.send({ type: "conversation.item.create", item: { id, type: "message", role: "user", content } });
    line.send({ type: "response.create" });
    this.#stopwatch.begin(id, "typed", performance.now());
  }

  mute(muted: boolean): void {
    this.muted.value = muted;
    this.#gate();
  }

  /** Push-to-talk: down, and up again. */
  hold(down: boolean): void {
    const { line } = this.#connection;
    if (down === this.holding.value || !line || !this.#microphone || !this.#choices().pushToTalk) return;
    this.holding.value = down;
    if (down) {
      this.#heldAt = performance.now();
      if (this.#recital.busy) this.#interrupt(line);
      line.send({ type: "input_audio_buffer.clear" });
      this.#gate();
      this.floor.value = "you";
      return;
    }
    this.floor.value = "thinking";
    const brief = performance.now() - this.#heldAt < SHORTEST_HOLD_MS;
    // People let go on the last syllable, and what they said is still on its way through the sound card.
    setTimeout(() => this.#letGo(line, brief), TAIL_MS);
  }

  /** Takes up what was changed in the settings, on a new line where the old one cannot. */
  async apply(before: Choices): Promise<void> {
    const choices = this.#choices();
    if (choices.microphone !== before.microphone) await this.changeMicrophone();
    if (choices.speaker !== before.speaker) await this.#connection.line?.route(choices.speaker);
    const settled = (["model", "recogniser", "voice", "language", "carrier", "pushToTalk"] as const).every((key) => choices[key] === before[key]);
    if (!settled && this.state.value.name !== "idle") await this.#open();
  }

  /** The device that is chosen, or else the usual one; also once the old one was unplugged. */
  async changeMicrophone(): Promise<void> {
    if (this.state.value.name === "idle") return;
    if (!this.#microphone) {
      await this.#listen();
      // A line that began without a microphone stays without; the next one has it.
      if (this.#microphone) await this.#open();
      return;
    }
    try {
      await this.#microphone.change(this.#choices().microphone);
      await this.#connection.line?.renew(this.#microphone);
      this.#gate();
      this.hearing.value = true;
      this.notice.value = null;
    } catch (error) {
      this.#deaf(error);
    }
  }

  async #open(): Promise<void> {
    this.#hangUp();
    const context = (this.#context ??= new AudioContext({ latencyHint: "interactive" }));
    await this.#connection.open(() => ({ choices: this.#choices(), microphone: this.#microphone, context, conversation: this.#thread.id }));
  }

  /** Opens the microphone. Without one, people can still type, and are answered aloud. */
  async #listen(): Promise<void> {
    const context = (this.#context ??= new AudioContext({ latencyHint: "interactive" }));
    try {
      const microphone = await Microphone.open(context, this.#choices().microphone);
      // Ended while the browser was asking.
      if (context !== this.#context) return microphone.close();
      this.#microphone = microphone;
      microphone.onlost = () => void this.#unplugged();
      this.hearing.value = true;
      this.notice.value = null;
      this.#gate();
    } catch (error) {
      if (context === this.#context) this.#deaf(error);
    }
  }

  #deaf(error: unknown): void {
    this.hearing.value = false;
    const text = error instanceof NoMicrophone ? error.message : "The microphone cannot be used.";
    this.notice.value = { tone: "wrong", text: `${text} Meanwhile you can type.` };
  }

  async #unplugged(): Promise<void> {
    this.hearing.value = false;
    await this.changeMicrophone();
    if (this.hearing.value) this.notice.value = { tone: "info", text: "That microphone is gone; another one listens." };
  }

  #opened(line: Line, again: boolean, grant: Grant): void {
    // A conversation that is kept is known already.
    if (!grant.goesOn) for (const event of replay(this.#thread.entries.value)) line.send({ ...event });
    this.#thread.join(grant.conversation);
    this.#recital.follow(line);
    this.#gate();
    if (again) this.notice.value = { tone: "info", text: "Connected again. The conversation goes on." };
    const measure = () => void line.quality().then((quality) => (this.quality.value = quality), () => {});
    measure();
    this.#measuring = setInterval(measure, MEASURE_MS);
    const unsent = this.#unsent.splice(0);
    for (const text of unsent) this.type(text);
    if (unsent.length === 0 && unanswered(this.#thread.entries.value)) line.send({ type: "response.create" });
  }

  #broken(reason: string): void {
    this.#hangUp();
    this.notice.value = { tone: "wrong", text: `${reason} Trying again…` };
  }

  /** What belongs to the line ends with it. */
  #hangUp(): void {
    clearInterval(this.#measuring);
    this.#recital.leave();
    this.holding.value = false;
    this.#tell({ type: "page.broken" });
    this.#move({ type: "page.broken" });
  }

  #take(event: ServerEvent): void {
    if (event.type === "session.updated") {
      const detection = event.session.audio?.input?.turn_detection;
      this.#quietMs = detection?.type === "server_vad" ? (detection.silence_duration_ms ?? 0) : 0;
    } else if (event.type === "response.created") {
      this.#recital.responding = true;
    } else if (event.type === "response.done") {
      this.#recital.ended();
      if (!this.#thread.session.value?.title) void this.#thread.settle();
      if (event.response.status === "failed") this.#complain(event.response.status_details?.error?.message ?? "The reply failed.");
    } else if (event.type === "input_audio_buffer.speech_started" || event.type === "output_audio_buffer.cleared") {
      // The reply falls silent here, so this is how far it was heard.
      this.#recital.cutShort();
    } else if (event.type === "error" && !HARMLESS.has(event.error.code ?? "")) {
      this.#complain(event.error.message);
    }
    this.#tell(event);
    this.#move(event);
    const known = this.#stopwatch.take(event, performance.now(), this.#quietMs);
    if (known) this.turns.value = [...this.turns.value.filter((turn) => turn.id !== known.id), known].slice(-TURNS);
  }

  #interrupt(line: Line): void {
    this.#recital.cutShort();
    line.interrupt();
  }

  #letGo(line: Line, brief: boolean): void {
    if (line !== this.#connection.line || this.holding.value) return;
    this.#gate();
    if (brief) {
      line.send({ type: "input_audio_buffer.clear" });
      this.floor.value = "open";
      this.notice.value = { tone: "info", text: "Hold it while you speak." };
      return;
    }
    this.#stopwatch.begin(`held-${this.#heldAt}`, "spoken", performance.now());
    line.send({ type: "input_audio_buffer.commit" });
    line.send({ type: "response.create" });
  }

  /** Whether the microphone's sound goes out. */
  #gate(): void {
    if (!this.#microphone) return;
    this.#microphone.open = this.#choices().pushToTalk ? this.holding.value : !this.muted.value;
  }

  #complain(text: string): void {
    this.notice.value = { tone: "wrong", text };
  }

  #tell(event: Happening): void {
    this.#thread.tell(event);
  }

  #move(event: Move): void {
    this.floor.value = turn(this.floor.value, event);
  }
}

/** Two things that happen at once, or a word that came too late; nothing for a person to act on. */
const HARMLESS = new Set(["response_cancel_not_active", "conversation_already_has_active_response", "item_retrieve_invalid_item_id", "item_create_duplicate_item_id"]);
const TAIL_MS = 200;
const SHORTEST_HOLD_MS = 200;
const MEASURE_MS = 2_000;
/** As many as fit the screen. */
const TURNS = 8;
