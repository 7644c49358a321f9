/** What is kept of a conversation, joined with what is on the screen of it. Pure, as the transcript is. */

import type { Message } from "../relay/conversations.ts";
import type { Entry } from "./transcript.ts";

export type Kept =
  /** The person wrote something; `id` is what the page calls it until it is kept. */
  | { type: "page.typed"; id: string; text: string }
  /** A message as it is kept. What is spoken in a call of this page comes by the call: `calling` says that there is one. */
  | { type: "page.kept"; message: Message; calling: boolean }
  /** Messages that follow each other, the oldest first. */
  | { type: "page.past"; messages: readonly Message[]; calling: boolean }
  /** More words of a reply that is being written. */
  | { type: "page.chunk"; message: string; text: string }
  /** A reply that is being written is told from its beginning again. */
  | { type: "page.followed" };

export function keep(entries: readonly Entry[], event: Kept): readonly Entry[] {
  switch (event.type) {
    case "page.typed":
      return [...entries, { id: event.id, who: "you", text: event.text, said: event.text.length, state: "done", typed: true }];
    case "page.kept":
      return put(entries, event.message, event.calling, entries.length).entries;
    case "page.past": {
      let behind = 0;
      for (const message of event.messages) ({ entries, behind } = put(entries, message, event.calling, behind, true));
      return entries;
    }
    case "page.chunk": {
      const id = itemOf(event.message);
      if (!entries.some((entry) => entry.id === id)) {
        entries = [...entries, { id, who: "relay", text: "", said: 0, state: "live", typed: true, message: event.message }];
      }
      const more = (entry: Entry) => ({ ...entry, text: entry.text + event.text, said: entry.text.length + event.text.length });
      return entries.map((entry) => (entry.id === id && entry.state === "live" ? more(entry) : entry));
    }
    case "page.followed":
      return entries.filter((entry) => entry.state !== "live" || entry.own);
  }
}

/** What a voice session calls a message that was typed. */
export const itemOf = (message: string): string => `item_${message.replaceAll("-", "")}`;

/** Puts a message in its entry's place, or where it is `behind`; says what is behind it then. */
function put(entries: readonly Entry[], message: Message, calling: boolean, behind: number, past = false): { entries: readonly Entry[]; behind: number } {
  const shown = (message.role === "user" || message.role === "assistant") && !message.tool_call;
  if (!shown) return { entries, behind };
  const id = message.item_id ?? itemOf(message.id);
  const at = entries.findIndex((entry) => entry.id === id || (message.client_message_id !== null && entry.id === message.client_message_id));
  const known = entries[at];
  if (known) {
    const changed = [...entries];
    changed[at] = known.own ? { ...known, ...beside(message) } : { ...entryOf(message, known.id), ...(known.past ? { past: true } : {}) };
    return { entries: changed, behind: at + 1 };
  }
  if (calling && message.modality === "audio") return { entries, behind };
  const entry: Entry = { ...entryOf(message, id), ...(past ? { past: true } : {}) };
  if (!entry.text.trim() && !entry.files?.length && entry.state !== "live") return { entries, behind };
  return { entries: [...entries.slice(0, behind), entry, ...entries.slice(behind)], behind: behind + 1 };
}

function entryOf(message: Message, id: string): Entry {
  const state = { in_progress: "live", completed: "done", incomplete: "cut" } as const;
  return {
    id,
    who: message.role === "user" ? "you" : "relay",
    text: message.content,
    said: message.content.length,
    state: state[message.status],
    typed: message.modality === "text",
    ...beside(message),
  };
}

/** What the relay alone knows of it. */
function beside(message: Message): Pick<Entry, "message" | "files" | "sources" | "tools"> {
  return {
    message: message.id,
    files: message.attachments,
    ...(message.citations.length > 0 ? { sources: message.citations } : {}),
    ...(message.tools.length > 0 ? { tools: message.tools } : {}),
  };
}
