/**
 * A conversation: opened, kept through broken lines, closed by the person alone.
 *
 * Everything on the screen is a signal here. What the events mean is decided by pure functions (transcript, floor, waterfall);
 * this joins them to a line, a microphone and a clock.
 */

import { signal } from "@preact/signals";

import { type Access, Refused } from "../relay/access.ts";
import { backoff } from "../relay/backoff.ts";
import { Dialler } from "../relay/dial.ts";
import type { ServerEvent } from "../relay/events.ts";
import type { Kind, Line } from "../relay/line.ts";
import type { Quality } from "../relay/quality.ts";
import { Microphone, NoMicrophone } from "../sound/microphone.ts";
import type { Choices } from "./choices.ts";
import { type Floor, type Move, turn } from "./floor.ts";
import { Pace, spoken } from "./script.ts";
import { sessionOf, toSecret } from "./session.ts";
import { type Entry, type Happening, reduce, replay, unanswered } from "./transcript.ts";
import { Stopwatch, type Turn } from "./waterfall.ts";

export type State =
  | { name: "idle" }
  | { name: "connecting" }
  | { name: "live"; kind: Kind }
  /** The line broke; the next attempt is under way or about to be. */
  | { name: "reconnecting"; attempt: number };

/** Something the person should know; `wrong` things want to be acted on. */
export interface Notice {
  tone: "info" | "wrong";
  text: string;
}

export class Call {
  readonly state = signal<State>({ name: "idle" });
  readonly entries = signal<readonly Entry[]>([]);
  readonly floor = signal<Floor>("open");
  readonly turns = signal<readonly Turn[]>([]);
  readonly quality = signal<Quality>({});
  readonly notice = signal<Notice | null>(null);
  readonly muted = signal(false);
  /** The key, or the button, of push-to-talk is down. */
  readonly holding = signal(false);
  readonly hearing = signal(false);

  readonly #access: Access;
  readonly #choices: () => Choices;
  readonly #dialler = new Dialler();
  readonly #stopwatch = new Stopwatch();
  readonly #pace = new Pace();
  #line: Line | null = null;
  #microphone: Microphone | null = null;
  #context: AudioContext | null = null;
  /** Counts calls; what belongs to an earlier one is too late. */
  #number = 0;
  #quietMs = 0;
  #responding = false;
  #sounding = false;
  #heldAt = 0;
  /** Typed before there was a line. */
  #unsent: string[] = [];
  #timers = new Set<ReturnType<typeof setTimeout>>();
  /** The pass is not good any more; the person is asked for another. */
  onrefused: () => void = () => {};

  constructor(access: Access, choices: () => Choices) {
    this.#access = access;
    this.#choices = choices;
  }

  get live(): boolean {
    return this.state.value.name === "live";
  }

  /** How loud the person is, and how loud the reply, 0–1. Once a frame. */
  levels(): { you: number; relay: number } {
    const open = this.#microphone?.track.enabled ?? false;
    return { you: open ? (this.#microphone?.level.read() ?? 0) : 0, relay: this.#line?.level() ?? 0 };
  }

  /** Begins to talk; from a click, or browsers keep the sound back. */
  async start(): Promise<void> {
    if (this.state.value.name !== "idle") return;
    const number = ++this.#number;
    this.notice.value = null;
    this.state.value = { name: "connecting" };
    await this.#listen(number);
    if (number === this.#number) await this.#connect(number, 0);
  }

  /** Ends it; what was said stays on the screen, and the next call goes on from there. */
  stop(): void {
    this.#number++;
    this.#unsent = [];
    this.#drop();
    this.#microphone?.close();
    this.#microphone = null;
    this.hearing.value = false;
    void this.#context?.close();
    this.#context = null;
    this.#tell({ type: "page.broken" });
    this.#move({ type: "page.broken" });
    this.quality.value = {};
    this.holding.value = false;
    this.state.value = { name: "idle" };
  }

  /** Forgets what was said. */
  clear(): void {
    const running = this.state.value.name !== "idle";
    this.stop();
    this.entries.value = [];
    this.turns.value = [];
    this.notice.value = null;
    if (running) void this.start();
  }

  /** Something typed, in the same conversation. Opens the line if there is none. */
  type(text: string): void {
    const words = text.trim();
    if (!words) return;
    if (!this.#line) {
      this.#unsent.push(words);
      if (this.state.value.name === "idle") void this.#startTyping();
      return;
    }
    if (this.#responding || this.#line.sounding) this.#interrupt();
    const id = `item_${crypto.randomUUID().replaceAll("-", "").slice(0, 21)}`;
    const content = [{ type: "input_text", text: words }];
    this.#line.send({ type: "conversation.item.create", item: { id, type: "message", role: "user", content } });
    this.#line.send({ type: "response.create" });
    this.#stopwatch.begin(id, "typed", performance.now());
  }

  mute(muted: boolean): void {
    this.muted.value = muted;
    this.#gate();
  }

  /** Push-to-talk: down, and up again. */
  hold(down: boolean): void {
    if (down === this.holding.value || !this.live || !this.#microphone || !this.#choices().pushToTalk) return;
    this.holding.value = down;
    const now = performance.now();
    if (down) {
      this.#heldAt = now;
      if (this.#responding || this.#line?.sounding) this.#interrupt();
      this.#line?.send({ type: "input_audio_buffer.clear" });
      this.#gate();
      this.floor.value = "you";
      return;
    }
    this.floor.value = "thinking";
    const number = this.#number;
    // People let go on the last syllable, and what they said is still on its way through the sound card.
    this.#later(TAIL_MS, () => {
      if (number !== this.#number || this.holding.value) return;
      this.#gate();
      if (now - this.#heldAt < SHORTEST_HOLD_MS) {
        this.#line?.send({ type: "input_audio_buffer.clear" });
        this.floor.value = "open";
        this.notice.value = { tone: "info", text: "Hold the key while you speak." };
        return;
      }
      this.#stopwatch.begin("", "spoken", performance.now());
      this.#line?.send({ type: "input_audio_buffer.commit" });
      this.#line?.send({ type: "response.create" });
    });
  }

  /** Takes up what was changed in the settings, on a new line where the old one cannot. */
  async apply(before: Choices): Promise<void> {
    const choices = this.#choices();
    if (choices.microphone !== before.microphone) await this.changeMicrophone();
    if (choices.speaker !== before.speaker) await this.#line?.route(choices.speaker);
    const { name } = this.state.value;
    if (name === "idle") return;
    const redial = (["model", "recogniser", "voice", "language", "carrier", "pushToTalk"] as const).some((key) => choices[key] !== before[key]);
    if (!redial) return;
    this.#drop();
    this.#tell({ type: "page.broken" });
    this.#move({ type: "page.broken" });
    this.state.value = { name: "connecting" };
    await this.#connect(++this.#number, 0);
  }

  /** The device that is chosen, or else the usual one; also once the old one was unplugged. */
  async changeMicrophone(): Promise<void> {
    if (this.state.value.name === "idle") return;
    if (!this.#microphone) {
      await this.#listen(this.#number);
      // A line without a microphone stays one; the next one has it.
      if (this.#microphone && this.live) await this.#redial();
      return;
    }
    try {
      await this.#microphone.change(this.#choices().microphone);
      await this.#line?.renew(this.#microphone);
      this.#gate();
      this.hearing.value = true;
      this.notice.value = null;
    } catch (error) {
      this.#deaf(error);
    }
  }

  async #redial(): Promise<void> {
    this.#drop();
    this.#tell({ type: "page.broken" });
    this.state.value = { name: "connecting" };
    await this.#connect(++this.#number, 0);
  }

  async #startTyping(): Promise<void> {
    const number = ++this.#number;
    this.state.value = { name: "connecting" };
    this.#context = new AudioContext();
    await this.#connect(number, 0);
  }

  /** Opens the microphone. Without one, people can still type, and be answered aloud. */
  async #listen(number: number): Promise<void> {
    this.#context ??= new AudioContext({ latencyHint: "interactive" });
    try {
      const microphone = await Microphone.open(this.#context, this.#choices().microphone);
      if (number !== this.#number) return microphone.close();
      this.#microphone = microphone;
      microphone.onlost = () => void this.#unplugged();
      this.hearing.value = true;
      this.#gate();
    } catch (error) {
      if (number === this.#number) this.#deaf(error);
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

  async #connect(number: number, attempt: number): Promise<void> {
    const choices = this.#choices();
    const session = sessionOf(choices);
    try {
      const secret = await this.#access.secret(toSecret(choices));
      if (number !== this.#number) return;
      const listener = { event: (event: ServerEvent) => this.#take(number, event), lost: () => this.#lost(number) };
      const opening = {
        origin: location.origin,
        secret,
        model: choices.model || "voice-relay",
        session,
        microphone: this.#microphone,
        speaker: choices.speaker,
        listener,
      };
      const line = await this.#dialler.dial(opening, choices.carrier, this.#context as AudioContext);
      if (number !== this.#number) return line.close();
      this.#line = line;
      this.#opened(line, attempt);
    } catch (error) {
      if (number !== this.#number) return;
      if (error instanceof Refused) {
        this.stop();
        this.onrefused();
        return;
      }
      this.#retry(number, attempt, error);
    }
  }

  #opened(line: Line, attempt: number): void {
    for (const event of replay(this.entries.value)) line.send({ ...event });
    this.state.value = { name: "live", kind: line.kind };
    if (attempt > 0) this.notice.value = { tone: "info", text: "Connected again. The conversation goes on." };
    this.#gate();
    this.#measure(this.#number);
    this.#follow(this.#number);
    const unsent = this.#unsent.splice(0);
    if (unsent.length > 0) for (const text of unsent) this.type(text);
    else if (unanswered(this.entries.value)) line.send({ type: "response.create" });
  }

  #lost(number: number): void {
    if (number !== this.#number) return;
    this.#drop();
    this.#tell({ type: "page.broken" });
    this.#move({ type: "page.broken" });
    this.#retry(number, 0, null);
  }

  #retry(number: number, attempt: number, error: unknown): void {
    const told = error instanceof Error ? error.message : "";
    this.notice.value = { tone: "wrong", text: `The line broke. Trying again…${told ? ` (${told})` : ""}` };
    this.state.value = { name: "reconnecting", attempt: attempt + 1 };
    this.#later(backoff(attempt), () => {
      if (number === this.#number) void this.#connect(number, attempt + 1);
    });
  }

  /** Lets go of the line, and of all that waits for it. */
  #drop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#line?.close();
    this.#line = null;
    this.#responding = false;
    this.#sounding = false;
    this.holding.value = false;
  }

  #take(number: number, event: ServerEvent): void {
    if (number !== this.#number) return;
    const now = performance.now();
    if (event.type === "session.updated") {
      const detection = event.session.audio?.input?.turn_detection;
      this.#quietMs = detection?.type === "server_vad" ? (detection.silence_duration_ms ?? 0) : 0;
    }
    if (event.type === "response.created") this.#responding = true;
    if (event.type === "response.done") this.#ended(event);
    if (event.type === "error" && !HARMLESS.has(event.error.code ?? "")) {
      this.notice.value = { tone: "wrong", text: event.error.message };
    }
    // The reply falls silent here, so this is how far it was heard.
    if (event.type === "input_audio_buffer.speech_started" || event.type === "output_audio_buffer.cleared") this.#cutShort();
    this.#tell(event);
    this.#move(event);
    const known = this.#stopwatch.take(event, now, this.#quietMs);
    if (known) this.turns.value = [...this.turns.value.filter((turn) => turn.id !== known.id), known].slice(-TURNS);
  }

  #ended({ response }: { response: { status: string; status_details?: { error?: { message?: string } } | null } }): void {
    this.#responding = false;
    // What came without sound is not waited for.
    for (const entry of this.#unsaid()) {
      const silent = this.#line?.heard(entry.id) === null && this.#line.length(entry.id) === undefined && !this.#line.sounding;
      if (silent && entry.said === 0) this.#tell({ type: "page.said", id: entry.id, characters: entry.text.length, whole: true });
    }
    if (response.status === "failed") {
      this.notice.value = { tone: "wrong", text: response.status_details?.error?.message ?? "The reply failed." };
    }
  }

  #interrupt(): void {
    this.#cutShort();
    this.#line?.interrupt();
  }

  /** What of the reply was not said by now will not be. */
  #cutShort(): void {
    this.#reveal();
    for (const { id } of this.#unsaid()) this.#tell({ type: "page.cut", id });
  }

  /** What the relay is saying, or about to say. */
  #unsaid(): readonly Entry[] {
    return this.entries.value.filter((entry) => entry.who === "relay" && entry.state === "live");
  }

  /** Follows the sound word by word, and sees when it begins and ends. */
  #follow(number: number): void {
    if (number !== this.#number || !this.#line) return;
    this.#reveal();
    const { sounding } = this.#line;
    if (sounding !== this.#sounding) {
      this.#sounding = sounding;
      if (sounding || !this.#responding) this.#move({ type: "page.playback", sounding });
    } else if (!sounding && !this.#responding && this.floor.value === "relay") {
      this.#move({ type: "page.playback", sounding });
    }
    this.#later(FRAME_MS, () => this.#follow(number));
  }

  #reveal(): void {
    const line = this.#line;
    if (!line) return;
    for (const entry of this.#unsaid()) {
      const ms = line.heard(entry.id);
      const length = line.length(entry.id);
      const over = !this.#responding && !line.sounding && (ms !== null || entry.said > 0);
      if (over) {
        if (length !== undefined) this.#pace.learn(entry.text, length);
        this.#tell({ type: "page.said", id: entry.id, characters: entry.text.length, whole: true });
      } else if (ms !== null) {
        const characters = spoken(entry.text, ms, this.#pace, length);
        if (characters > entry.said) this.#tell({ type: "page.said", id: entry.id, characters, whole: false });
      }
    }
  }

  #measure(number: number): void {
    const line = this.#line;
    if (number !== this.#number || !line) return;
    line.quality().then(
      (quality) => {
        if (line === this.#line) this.quality.value = quality;
      },
      () => {},
    );
    this.#later(MEASURE_MS, () => this.#measure(number));
  }

  /** Whether the microphone's sound goes out. */
  #gate(): void {
    if (!this.#microphone) return;
    this.#microphone.open = this.#choices().pushToTalk ? this.holding.value : !this.muted.value;
  }

  #tell(event: Happening): void {
    const entries = reduce(this.entries.value, event);
    if (entries !== this.entries.value) this.entries.value = entries;
  }

  #move(event: Move): void {
    this.floor.value = turn(this.floor.value, event);
  }

  #later(ms: number, what: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      what();
    }, ms);
    this.#timers.add(timer);
  }
}

/** Two things that happen at once, or a word that came too late; nothing for a person to act on. */
const HARMLESS = new Set(["response_cancel_not_active", "conversation_already_has_active_response", "item_retrieve_invalid_item_id", "item_create_duplicate_item_id"]);
const TAIL_MS = 200;
const SHORTEST_HOLD_MS = 200;
const MEASURE_MS = 2_000;
/** Quicker than words follow each other. */
const FRAME_MS = 50;
/** As many as fit the screen. */
const TURNS = 8;
