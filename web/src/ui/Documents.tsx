/** Documents: put in, watched, searched, described, taken out. */

import { useEffect, useRef, useState } from "preact/hooks";

import type { Document } from "../relay/documents.ts";
import { TAKEN } from "../relay/upload.ts";
import { type Documents as Shelf, progress } from "../shelf/documents.ts";
import { size } from "../shelf/size.ts";
import type { Reading } from "../shelf/reading.ts";
import { Describe } from "./Describe.tsx";
import { Found } from "./Found.tsx";
import { Icon } from "./Icon.tsx";
import { byline } from "./Sources.tsx";
import { Sure } from "./Sure.tsx";
import { UploadList } from "./UploadList.tsx";

export function Documents({ documents, reading }: { documents: Shelf; reading: Reading }) {
  useEffect(() => void documents.look(), []);
  const list = documents.list.value;
  return (
    <>
      <Drop most={documents.uploads.most.value} onFiles={(files) => void documents.put(files)} />
      <UploadList uploads={documents.uploads} />
      {documents.trouble.value && (
        <p class="wrong" role="alert">
          {documents.trouble.value}
        </p>
      )}
      {list && list.length > 0 && <Found documents={documents} reading={reading} />}
      <ul class="entries" aria-label="Documents">
        {list?.map((document) => (
          <Row key={document.id} document={document} documents={documents} />
        ))}
      </ul>
      {list?.length === 0 && <p class="soft">Put in guidelines, papers, handbooks or notes: answers rest on them and say where each thing is from.</p>}
    </>
  );
}

function Drop({ most, onFiles }: { most: number | null; onFiles: (files: File[]) => void }) {
  const picker = useRef<HTMLInputElement>(null);
  const [over, hover] = useState(false);
  return (
    <div
      class={over ? "drop drop-over" : "drop"}
      onDragOver={(event) => {
        event.preventDefault();
        hover(true);
      }}
      onDragLeave={() => hover(false)}
      onDrop={(event) => {
        event.preventDefault();
        hover(false);
        onFiles([...(event.dataTransfer?.files ?? [])]);
      }}
    >
      <button type="button" class="solid" onClick={() => picker.current?.click()}>
        Add documents
      </button>
      <small>Or drop them here: PDF, Word, PowerPoint, Excel, text, Markdown, pictures{most !== null && `, up to ${size(most)} each`}.</small>
      <input
        type="file"
        class="unseen"
        tabIndex={-1}
        aria-label="Documents to add"
        multiple
        accept={TAKEN}
        ref={picker}
        onChange={(event) => {
          onFiles([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = "";
        }}
      />
    </div>
  );
}

function Row({ document, documents }: { document: Document; documents: Shelf }) {
  const [describing, describe] = useState(false);
  const title = document.title ?? document.name ?? "Untitled";
  const share = document.state === "indexing" && document.passages > 0 ? document.indexed / document.passages : undefined;
  return (
    <li class="document" data-testid="document" data-state={document.state}>
      <span class="title">{title}</span>
      <span class="soft">{[byline(document), document.shared ? "shared with everybody" : ""].filter(Boolean).join(" · ")}</span>
      <span class={document.state === "failed" ? "wrong" : "soft"} role="status">
        {progress(document)}
      </span>
      {share !== undefined && <progress aria-label={`Indexing of ${title}`} max={1} value={share} />}
      {document.warnings.length > 0 && <span class="soft">{document.warnings.join(" ")}</span>}
      {document.name !== null && (
        <span class="acts">
          <button type="button" class="text" onClick={() => void documents.save(document.id)}>
            Download<span class="unseen"> {title}</span> ({size(document.size)})
          </button>
        </span>
      )}
      {document.owned && (
        <span class="row-acts">
          <button type="button" class="quiet" aria-label={`Describe ${title}`} aria-expanded={describing} onClick={() => describe(!describing)}>
            <Icon name="edit" />
          </button>
          <Sure label={`Delete ${title}`} question="Delete it for good?" onSure={() => void documents.remove(document.id)}>
            <Icon name="close" />
          </Sure>
        </span>
      )}
      {describing && <Describe document={document} documents={documents} onDone={() => describe(false)} />}
    </li>
  );
}
