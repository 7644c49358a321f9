/** Passages that fit a question, without asking anybody for an answer. */

import type { Documents } from "../shelf/documents.ts";
import type { Reading } from "../shelf/reading.ts";
import { SearchField } from "./SearchField.tsx";

/** Characters of a passage: three lines. */
const SHOWN = 140;

export function Found({ documents, reading }: { documents: Documents; reading: Reading }) {
  const found = documents.found.value;
  return (
    <>
      <SearchField label="Search in the documents" longest={2000} begun="" onSearch={(query) => void documents.find(query)} onEmptied={() => (documents.found.value = null)} />
      {found && (
        <ul class="entries" aria-label="Passages">
          {found.passages.map(({ id, source, text, heading, page, document_id }) => (
            <li key={id} data-testid="found">
              <button type="button" class="entry" onClick={() => void reading.show({ ...source, source_id: document_id, context: text, heading, page })}>
                <span class="title">{source.title ?? "Untitled"}</span>
                <span class="hit">{text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text}</span>
                <span class="soft">{[heading, page ? `page ${page}` : ""].filter(Boolean).join(", ")}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      {found?.passages.length === 0 && <p class="soft">No passage fits that.</p>}
    </>
  );
}
