/** For those who type, and for files. In a call what is typed is answered aloud, else in writing. */

import { useRef, useState } from "preact/hooks";

import { TAKEN } from "../relay/upload.ts";
import { size } from "../shelf/size.ts";
import type { Room } from "../talk/room.ts";
import { Icon } from "./Icon.tsx";
import { UploadList } from "./UploadList.tsx";

export function Composer({ room }: { room: Room }) {
  const [text, setText] = useState("");
  const picker = useRef<HTMLInputElement>(null);
  const { files } = room.shelf;
  const trouble = files.trouble.value;
  const most = files.uploads.most.value;
  return (
    <div class="writing">
      <UploadList uploads={files.uploads} />
      {trouble && (
        <p class="wrong" role="alert">
          {trouble}
        </p>
      )}
      <form
        class="composer"
        onSubmit={(event) => {
          event.preventDefault();
          room.type(text);
          setText("");
        }}
      >
        <button
          type="button"
          class="quiet"
          aria-label="Attach files"
          title={`Attach files to this conversation: PDF, Word, text, tables, pictures${most === null ? "" : `, up to ${size(most)} each`}`}
          onClick={() => picker.current?.click()}
        >
          <Icon name="clip" />
        </button>
        <input
          type="file"
          class="unseen"
          tabIndex={-1}
          aria-label="Files to attach"
          multiple
          accept={TAKEN}
          ref={picker}
          onChange={(event) => {
            void files.attach([...(event.currentTarget.files ?? [])]);
            event.currentTarget.value = "";
          }}
        />
        <input
          type="text"
          aria-label="Type instead of speaking"
          placeholder="Or type…"
          maxLength={4000}
          autocomplete="off"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <button type="submit" class="round small" aria-label="Send" disabled={!text.trim()}>
          <Icon name="send" />
        </button>
      </form>
    </div>
  );
}
