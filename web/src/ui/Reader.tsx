/** A passage in its source, with what an answer rests on marked in it. */

import { useEffect, useRef } from "preact/hooks";

import type { Open, Reading, Subject } from "../shelf/reading.ts";
import { gives, NARROWER } from "./cover.ts";
import { Icon } from "./Icon.tsx";

export function Reader({ reading, open }: { reading: Reading; open: Open }) {
  const { subject, state, place, file } = open;
  const head = useRef<HTMLHeadingElement>(null);
  const mark = useRef<HTMLElement>(null);
  useEffect(() => head.current?.focus({ preventScroll: true }), [subject]);
  useEffect(() => mark.current?.scrollIntoView({ block: "center" }), [subject, state]);
  useEffect(() => {
    const escape = (event: KeyboardEvent) => {
      const elsewhere = event.target instanceof Element && event.target.closest("dialog, .library");
      if (event.key === "Escape" && !elsewhere) reading.close();
    };
    addEventListener("keydown", escape);
    return () => removeEventListener("keydown", escape);
  }, []);
  const page = place.page ?? subject.page;
  return (
    <aside class="reader" aria-label="Source" data-testid="reader" data-state={state} onFocusOut={gives(NARROWER, () => (reading.open.value = null))}>
      <header>
        <h2 tabIndex={-1} ref={head}>
          {subject.index !== undefined && <span class="number">[{subject.index}] </span>}
          {subject.title ?? "Untitled"}
        </h2>
        <button type="button" class="quiet" aria-label="Put the source away" onClick={() => reading.close()}>
          <Icon name="close" />
        </button>
      </header>
      <p class="soft" data-testid="described">
        {described(subject)}
      </p>
      <p class="soft">
        {[subject.heading, page ? `Page ${page}` : ""].filter(Boolean).join(" · ")} <Links subject={subject} />
      </p>
      {(state === "gone" || state === "alone") && <p class="soft">{state === "gone" ? GONE : ALONE}</p>}
      <blockquote class="passage" dir="auto" tabIndex={0} aria-label="The passage">
        <span class="around">{place.before}</span>
        <span class="cited" data-testid="passage" ref={place.quote ? null : mark}>
          {place.lead}
          {place.quote && (
            <mark data-testid="quote" ref={mark}>
              {place.quote}
            </mark>
          )}
          {place.rest}
        </span>
        <span class="around">{place.after}</span>
      </blockquote>
      {file && (
        <p class="acts">
          <button type="button" class="text" onClick={() => void reading.save()}>
            Download the document
          </button>
        </p>
      )}
      {reading.trouble.value && (
        <p class="wrong" role="alert">
          {reading.trouble.value}
        </p>
      )}
    </aside>
  );
}

function Links({ subject: { doi, url } }: { subject: Subject }) {
  const address = doi ? `https://doi.org/${encodeURI(doi)}` : url && /^https?:/.test(url) ? url : "";
  if (!address) return null;
  return (
    <a href={address} target="_blank" rel="noopener noreferrer">
      {doi ? `doi:${doi}` : "On the web"}
    </a>
  );
}

/** All that is known of the document, in the order of a reference. */
function described({ authors, publication_date, journal, volume, issue, pages }: Subject): string {
  const where = journal ? `${journal}${volume ? ` ${volume}` : ""}${issue ? ` (${issue})` : ""}${pages ? `, ${pages}` : ""}` : "";
  return [authors?.join("; "), publication_date, where].filter(Boolean).join(" · ");
}

const GONE = "The document was deleted since. This is what was kept with the answer.";
const ALONE = "What stands around it cannot be shown. This is what was kept with the answer.";
