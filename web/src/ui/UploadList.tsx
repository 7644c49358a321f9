/** Files on their way: how far each is, and why one was not taken. */

import type { Uploads } from "../shelf/uploads.ts";
import { Icon } from "./Icon.tsx";

export function UploadList({ uploads }: { uploads: Uploads }) {
  const list = uploads.list.value;
  if (list.length === 0) return null;
  return (
    <ul class="uploads" aria-label="Uploads" aria-live="polite">
      {list.map(({ id, name, share, failure }) => (
        <li key={id} data-testid="upload">
          <span class="clipped">{name}</span>
          {failure === null ? (
            <progress aria-label={`Upload of ${name}`} max={1} {...(share === null ? {} : { value: share })} />
          ) : (
            <span class="wrong">{failure}</span>
          )}
          <button type="button" class="quiet" aria-label={failure === null ? `Give up ${name}` : `Dismiss ${name}`} onClick={() => uploads.drop(id)}>
            <Icon name="close" />
          </button>
        </li>
      ))}
    </ul>
  );
}
