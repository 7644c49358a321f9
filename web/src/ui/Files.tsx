/** Files that came with a message. */

import { useEffect, useRef, useState } from "preact/hooks";

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
            <Preview file={file} of={of} />
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

/** What is in it, small, where it is a picture; beside its name, so never read aloud. Drawn: the page's policy takes no images that came with a key. */
function Preview({ file, of }: { file: Attachment; of: Kept }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [picture, show] = useState<ImageBitmap | null>(null);
  useEffect(() => void of.preview(file).then(show), [file.id, file.state]);
  useEffect(() => {
    if (picture) canvas.current?.getContext("2d")?.drawImage(picture, 0, 0);
  }, [picture]);
  if (!picture) return <Icon name="file" />;
  return <canvas class="preview" data-testid="preview" aria-hidden="true" width={picture.width} height={picture.height} ref={canvas} />;
}

function state(file: Attachment): string {
  if (file.state === "pending") return "being read…";
  return file.state === "failed" ? (file.failure ?? "could not be read") : size(file.size);
}
