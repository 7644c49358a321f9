/** What a document is, as citations of it will say. */

import { useState } from "preact/hooks";

import type { Document, Source } from "../relay/documents.ts";
import type { Documents } from "../shelf/documents.ts";
import { SaveOrNot } from "./SaveOrNot.tsx";

const FIELDS = [
  ["title", "Title", ""],
  ["publication_date", "Date", "2024, 2024-05 or 2024-05-31"],
  ["journal", "Journal", ""],
  ["doi", "DOI", "10.1000/182"],
  ["url", "Web address", "https://…"],
] as const;

export function Describe({ document, documents, onDone }: { document: Document; documents: Documents; onDone: () => void }) {
  const [source, set] = useState<Source>(document);
  const [authors, name] = useState(document.authors.join("\n"));
  const save = async () => {
    const changed: Partial<Source> = { authors: authors.split("\n").map((author) => author.trim()).filter(Boolean) };
    for (const [field] of FIELDS) changed[field] = source[field]?.trim() || null;
    if (await documents.describe(document.id, changed)) onDone();
  };
  return (
    <form
      class="describe"
      aria-label="What it is"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      {FIELDS.map(([field, label, example]) => (
        <label key={field} class="field">
          <span>{label}</span>
          <input value={source[field] ?? ""} placeholder={example} autocomplete="off" onInput={(event) => set({ ...source, [field]: event.currentTarget.value })} />
        </label>
      ))}
      <label class="field">
        <span>Authors, one a line</span>
        <textarea rows={2} placeholder="Doe, Jane" value={authors} onInput={(event) => name(event.currentTarget.value)} />
      </label>
      <SaveOrNot onDone={onDone} />
    </form>
  );
}
