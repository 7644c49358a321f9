/** What was said by whom, made of the events of the protocol. Pure: the same events give the same transcript. */

import type { Attachment } from "../relay/conversations.ts";
import type { Citation, Item, ServerEvent, ToolUse } from "../relay/events.ts";
import { keep, type Kept } from "./kept.ts";

export interface Entry {
  id: string;
  who: "you" | "relay";
  /** All of it that is known. */
  text: string;
  /** How many characters of it have been said so far; the rest is not shown yet. */
  said: number;
  state: "live" | "done" | "cut" | "failed";
  typed: boolean;
  /** The call of this page is where it was said, and knows it best. */
  own?: true;
  /** It was said before the conversation was opened here. */
  past?: true;
  /** What it is kept as. */
  message?: string;
  files?: readonly Attachment[];
  /** Where it has what it says from. */
  sources?: readonly Citation[];
  /** What tools did for it. */
  tools?: readonly ToolUse[];
}

/** What happened beside the events: the page knows what sounds, and when the line broke. */
export type Happening =
  | ServerEvent
  | { type: "page.said"; id: string; characters: number; whole: boolean }
  | { type: "page.cut"; id: string }
  | { type: "page.broken" }
  | Kept;

export function reduce(entries: readonly Entry[], event: Happening): readonly Entry[] {
  switch (event.type) {
    case "input_audio_buffer.speech_started":
      return add(entries, spoken(event.item_id));
    case "input_audio_buffer.committed":
      return add(entries, spoken(event.item_id));
    case "conversation.item.input_audio_transcription.delta":
      return change(add(entries, spoken(event.item_id)), event.item_id, (entry) =>
        entry.state === "live" ? whole(entry, entry.text + event.delta) : entry,
      );
    case "conversation.item.input_audio_transcription.completed": {
      const text = event.transcript.trim();
      // A cough: nobody said anything.
      if (!text) return entries.filter((entry) => entry.id !== event.item_id);
      return change(entries, event.item_id, (entry) => ({ ...whole(entry, text), state: "done" }));
    }
    case "conversation.item.input_audio_transcription.failed":
      return change(entries, event.item_id, (entry) => ({ ...entry, state: "failed" }));
    case "input_audio_buffer.cleared":
      return entries.filter((entry) => entry.who !== "you" || entry.state !== "live" || !entry.own);
    case "conversation.item.added":
      return added(entries, event.item);
    case "conversation.item.done":
      return founded(entries, event.item);
    case "conversation.item.deleted":
      return entries.filter((entry) => entry.id !== event.item_id);
    case "response.output_audio_transcript.delta":
      return change(entries, event.item_id, (entry) => (entry.state === "live" ? { ...entry, text: entry.text + event.delta } : entry));
    case "response.output_text.delta":
      return change(entries, event.item_id, (entry) => whole(entry, entry.text + event.delta));
    case "conversation.item.truncated":
      return change(entries, event.item_id, (entry) => (entry.state === "cut" ? entry : cut(entry)));
    case "page.cut":
      // Nobody heard a word of what has no text left.
      return change(entries, event.id, cut).filter((entry) => entry.id !== event.id || entry.text);
    case "conversation.item.retrieved":
      return retrieved(entries, event.item);
    case "page.said":
      return change(entries, event.id, (entry) =>
        event.whole && entry.state === "live"
          ? { ...whole(entry, entry.text), state: "done" }
          : { ...entry, said: Math.max(entry.said, Math.min(event.characters, entry.text.length)) },
      );
    case "page.broken":
      return entries.map((entry) => (entry.state === "live" && entry.own ? cut(entry) : entry)).filter((entry) => entry.text || !entry.own);
    case "page.typed":
    case "page.kept":
    case "page.past":
    case "page.chunk":
    case "page.followed":
      return keep(entries, event);
    default:
      return entries;
  }
}

/** What a new session must be told to go on from here, oldest first. */
export function replay(entries: readonly Entry[]): { type: "conversation.item.create"; item: Item & { status?: string } }[] {
  return entries
    .filter((entry) => entry.state !== "failed" && entry.text.trim())
    .map((entry) => {
      const content = [{ type: entry.who === "you" ? "input_text" : "output_text", text: entry.text }];
      const role = entry.who === "you" ? "user" : "assistant";
      return { type: "conversation.item.create", item: { id: entry.id, type: "message", role, content } };
    });
}

/** A text and the numbers by which it cites, in their order: those in its brackets, ranges among them. */
export function pieces(text: string): (string | number)[] {
  const parts: (string | number)[] = [];
  let end = 0;
  for (const found of text.matchAll(/\[([\d\s,–-]+)\]/g)) {
    const named = listed(found[1] ?? "");
    if (named.length === 0) continue;
    parts.push(text.slice(end, found.index), ...named);
    end = found.index + found[0].length;
  }
  return [...parts, text.slice(end)].filter((part) => part !== "");
}

function listed(inside: string): number[] {
  const named: number[] = [];
  for (const part of inside.split(",")) {
    const [from = NaN, to = from] = part.split(/[–-]/).map(Number);
    for (let number = from; number <= to && number < 100; number += 1) named.push(number);
  }
  return named;
}

/** The numbers by which a text cites. */
export function numbers(text: string): Set<number> {
  return new Set(pieces(text).filter((piece) => typeof piece === "number"));
}

/** Whether the person has said something that nobody answered. */
export function unanswered(entries: readonly Entry[]): boolean {
  const last = entries.at(-1);
  return last?.who === "you" && last.state === "done" && !last.past && !last.files?.length;
}

function added(entries: readonly Entry[], item: Item): readonly Entry[] {
  if (item.type !== "message" || (item.role !== "user" && item.role !== "assistant")) return entries;
  const words = item.content?.map((part) => part.text ?? part.transcript ?? "").join("") ?? "";
  const who = item.role === "user" ? "you" : "relay";
  const typed = item.content?.some((part) => part.type === "input_text") ?? false;
  return add(entries, { id: item.id, who, text: words, said: words.length, state: typed ? "done" : "live", typed, own: true });
}

/** What a reply rests on is known when it is whole. More is known of its tools once it is kept, which may be told first. */
function founded(entries: readonly Entry[], { id, metadata: { citations: sources, tools } = {} }: Item): readonly Entry[] {
  return change(entries, id, (entry) => ({ ...entry, ...(sources && { sources }), ...(tools && { tools: entry.tools ?? tools }) }));
}

/** After a cut the relay tells what of the reply it counts as heard. */
function retrieved(entries: readonly Entry[], item: Item): readonly Entry[] {
  const part = item.content?.[0];
  const text = part?.transcript ?? part?.text;
  if (text === undefined || text === null) return entries;
  const kept = change(entries, item.id, (entry) => (entry.state === "cut" ? whole(entry, text.trim()) : entry));
  return kept.filter((entry) => entry.id !== item.id || entry.state !== "cut" || entry.text);
}

function add(entries: readonly Entry[], entry: Entry): readonly Entry[] {
  return entries.some((known) => known.id === entry.id) ? entries : [...entries, entry];
}

function change(entries: readonly Entry[], id: string, how: (entry: Entry) => Entry): readonly Entry[] {
  return entries.map((entry) => (entry.id === id ? how(entry) : entry));
}

const spoken = (id: string): Entry => ({ id, who: "you", text: "", said: 0, state: "live", typed: false, own: true });

const whole = (entry: Entry, text: string): Entry => ({ ...entry, text, said: text.length });

/** Ended here: what was not said is forgotten. */
const cut = (entry: Entry): Entry => ({ ...whole(entry, entry.text.slice(0, entry.said).trimEnd()), state: "cut" });
