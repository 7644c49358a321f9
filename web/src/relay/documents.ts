/** Documents that answers are grounded in, and passages found in them. */

import type { Access } from "./access.ts";
import { download } from "./download.ts";
import { every } from "./lists.ts";
import { upload } from "./upload.ts";

/** What is known of a document, as a citation shows it. */
export interface Source {
  title: string | null;
  authors: string[];
  publication_date: string | null;
  journal: string | null;
  doi: string | null;
  url: string | null;
}

export interface Document extends Source {
  id: string;
  /** Its file's; null: it came as text. */
  name: string | null;
  /** Everybody reads it; whether it is the reader's own. */
  shared: boolean;
  owned: boolean;
  state: "pending" | "indexing" | "ready" | "failed";
  failure: string | null;
  warnings: string[];
  /** How many passages it has, and how many of them are found by meaning. */
  passages: number;
  indexed: number;
  size: number;
}

/** A passage that fits a question. */
export interface Passage {
  id: string;
  document_id: string;
  source: Source;
  text: string;
  heading: string | null;
  page: number | null;
  score: number;
}

export const documents = (access: Access): Promise<Document[]> => every(access, "/api/documents");
export const document = (access: Access, id: string): Promise<Document> => access.get(`/api/documents/${id}`);
export const removeDocument = (access: Access, id: string): Promise<null> => access.ask("DELETE", `/api/documents/${id}`);
export const describe = (access: Access, id: string, source: Partial<Source>): Promise<Document> => access.ask("PATCH", `/api/documents/${id}`, source);

/** Has the browser save the file that it came as. */
export const saveDocument = (access: Access, id: string): Promise<void> => download(access, `/api/documents/${id}/file`);

/** All that was read in it; a form feed parts pages. */
export const text = (access: Access, id: string): Promise<{ text: string | null }> => access.get(`/api/documents/${id}/text`);

export async function find(access: Access, query: string): Promise<Passage[]> {
  const found = await access.ask<{ passages: Passage[] }>("POST", "/api/search", { query, top_k: 8, min_score: 10 });
  return found.passages;
}

export function add(access: Access, file: File, progress: (share: number) => void, signal: AbortSignal): Promise<Document> {
  const form = new FormData();
  form.set("file", file);
  return upload(access, "/api/documents", form, progress, signal);
}
