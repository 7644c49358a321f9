/** Files that came with a message. */

import type { Attachment } from "../relay/conversations.ts";
import type { Files as Kept } from "../shelf/files.ts";
import { size } from "../shelf/size.ts";
import { Icon } from "./Icon.tsx";

export function Files({ message, files, of }: { message: string; files: readonly Attachment[]; of: Kept }) {
  return (
    <ul class="files" aria-label="Files">
      {files.map((file) => (
        <li key={file.id} data-testid="file" data-state={file.state}>
          <button type="button" class="file" onClick={() => void of.download(file)}>
            <Icon name="file" />
            <span class="unseen">Download </span>
            <span class="clipped">{file.name}</span>
            <span class="soft">{state(file)}</span>
          </button>
          <button type="button" class="quiet" aria-label={`Delete ${file.name}`} onClick={() => void of.remove(message, file)}>
            <Icon name="close" />
          </button>
        </li>
      ))}
    </ul>
  );
}

function state(file: Attachment): string {
  if (file.state === "pending") return "being read…";
  return file.state === "failed" ? (file.failure ?? "could not be read") : size(file.size);
}
