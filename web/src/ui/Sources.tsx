/** Where a reply has what it says from: its numbers, and the documents under it, open the passage in its source. */

import type { Citation } from "../relay/events.ts";
import type { Reading } from "../shelf/reading.ts";
import { numbers, pieces, type Entry } from "../talk/transcript.ts";

export function Words({ text, entry, reading }: { text: string; entry: Entry; reading: Reading }) {
  const { sources } = entry;
  if (!sources) return <>{text}</>;
  return (
    <>
      {pieces(text).map((piece, at) => {
        if (typeof piece === "string") return piece;
        const source = sources.find(({ index }) => index === piece);
        if (!source) return `[${piece}]`;
        return (
          <button key={at} type="button" class="cite" data-testid="cite" aria-label={`Source ${piece}: ${source.title ?? "Untitled"}`} onClick={() => void reading.show(source)}>
            [{piece}]
          </button>
        );
      })}
    </>
  );
}

export function Sources({ sources, said, reading }: { sources: readonly Citation[]; said: string; reading: Reading }) {
  // What was not said yet cites nothing yet.
  const named = numbers(said);
  const shown = sources.filter((source) => named.has(source.index));
  if (shown.length === 0) return null;
  const open = reading.open.value?.subject;
  return (
    <ol class="sources" aria-label="Sources">
      {shown.map((source) => (
        <li key={source.index} data-testid="source">
          <button type="button" class="source" aria-expanded={open === source} onClick={() => void reading.show(source)}>
            <span class="number">[{source.index}]</span> {source.title ?? "Untitled"} <span class="soft">{byline(source)}</span>
          </button>
        </li>
      ))}
    </ol>
  );
}

/** Who and when, in brief. */
export function byline({ authors, publication_date }: Pick<Citation, "authors" | "publication_date">): string {
  const names = authors?.length ? (authors.length > 2 ? `${authors[0]} et al.` : authors.join(" & ")) : "";
  return [names, publication_date?.slice(0, 4)].filter(Boolean).join(", ");
}
