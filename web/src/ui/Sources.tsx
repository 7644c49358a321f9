/** Where a reply has what it says from: each source opens on its passage, with the words that bear the reply out marked in it. */

import type { Citation } from "../relay/events.ts";
import { numbers } from "../talk/transcript.ts";

export function Sources({ sources, said }: { sources: readonly Citation[]; said: string }) {
  // What was not said yet cites nothing yet.
  const named = numbers(said);
  const shown = sources.filter((source) => named.has(source.index));
  if (shown.length === 0) return null;
  return (
    <ol class="sources" aria-label="Sources">
      {shown.map((source) => (
        <li key={source.index} data-testid="source">
          <details>
            <summary>
              <span class="number">[{source.index}]</span> {source.title ?? "Untitled"} <span class="soft">{byline(source)}</span>
            </summary>
            <Passage source={source} />
          </details>
        </li>
      ))}
    </ol>
  );
}

function Passage({ source }: { source: Citation }) {
  const quote = source.quoted_text ?? "";
  const passage = source.context ?? quote;
  const at = quote ? passage.indexOf(quote) : -1;
  return (
    <blockquote class="passage" dir="auto">
      {at < 0 ? (
        passage
      ) : (
        <>
          {passage.slice(0, at)}
          <mark>{quote}</mark>
          {passage.slice(at + quote.length)}
        </>
      )}
    </blockquote>
  );
}

function byline({ authors, publication_date }: Citation): string {
  const names = authors?.length ? (authors.length > 2 ? `${authors[0]} et al.` : authors.join(" & ")) : "";
  return [names, publication_date?.slice(0, 4)].filter(Boolean).join(", ");
}
