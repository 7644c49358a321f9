/** Conversations as the relay keeps them, and the folders they are in. */

import type { Access } from "./access.ts";
import type { Citation, ToolUse } from "./events.ts";
import { every, page, type Page } from "./lists.ts";

export interface Session {
  id: string;
  title: string | null;
  folder_id: string | null;
  created_at: string;
  updated_at: string;
  /** In a search: where its words were first said. */
  found?: Found;
}

/** Words, with what is around them in their message. */
export interface Found {
  message_id: string;
  before: string;
  hit: string;
  after: string;
}

export interface Folder {
  id: string;
  name: string;
  /** null: it is at the top. */
  parent_folder_id: string | null;
  children: Folder[];
}

export interface Message {
  id: string;
  role: "system" | "user" | "assistant" | "tool";
  modality: "text" | "audio";
  content: string;
  status: "in_progress" | "completed" | "incomplete";
  tool_call: object | null;
  /** What a voice session calls it. */
  item_id: string | null;
  client_message_id: string | null;
  attachments: Attachment[];
  citations: Citation[];
  tools: ToolUse[];
}

/** A file that came with a message. */
export interface Attachment {
  id: string;
  name: string;
  media_type: string;
  size: number;
  state: "pending" | "ready" | "failed";
  failure: string | null;
}

/** The newest first: of one folder, or those in which words are said. */
export function sessions(access: Access, filter: { folder?: string | null; words?: string }, after: string | null): Promise<Page<Session>> {
  const query = new URLSearchParams();
  if (filter.folder) query.set("folder_id", filter.folder);
  if (filter.words) {
    query.set("q", filter.words);
    query.set("excerpts", "true");
  }
  return page(access, `/api/sessions?${query}`, after, 40);
}

export const session = (access: Access, id: string): Promise<Session> => access.get(`/api/sessions/${id}`);
export const begin = (access: Access): Promise<Session> => access.ask("POST", "/api/sessions", {});
export const remove = (access: Access, id: string): Promise<null> => access.ask("DELETE", `/api/sessions/${id}`);
export const messages = (access: Access, id: string): Promise<Message[]> => every(access, `/api/sessions/${id}/messages`);

/** A page of them that begins half a page before this message. */
export const around = (access: Access, id: string, message: string): Promise<Page<Message>> => page(access, `/api/sessions/${id}/messages?around=${message}`, null, AROUND);

export const message = (access: Access, id: string): Promise<Message> => access.get(`/api/messages/${id}`);

export function change(access: Access, id: string, to: { title?: string; folder_id?: string | null }): Promise<Session> {
  return access.ask("PATCH", `/api/sessions/${id}`, to);
}

export const folders = (access: Access): Promise<{ items: Folder[] }> => access.get("/api/folders/tree");
export const removeFolder = (access: Access, id: string): Promise<null> => access.ask("DELETE", `/api/folders/${id}`);
export const renameFolder = (access: Access, id: string, name: string): Promise<Folder> => access.ask("PUT", `/api/folders/${id}`, { name });

/** Into another folder, with all that is in it; `null`: to the top. */
export const moveFolder = (access: Access, id: string, into: string | null): Promise<Folder> => access.ask("POST", `/api/folders/${id}/move/${into ?? "root"}`);

export function makeFolder(access: Access, name: string, parent: string | null): Promise<Folder> {
  return access.ask("POST", "/api/folders", { name, ...(parent ? { parent_folder_id: parent } : {}) });
}

/** A few screens of messages. */
export const AROUND = 40;
