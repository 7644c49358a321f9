/** Links by which others read the conversation, as it is when they read it. */

import { useEffect, useRef, useState } from "preact/hooks";

import type { Links } from "../shelf/links.ts";

const HOURS = [
  [1, "an hour"],
  [24, "a day"],
  [168, "a week"],
  [720, "30 days"],
  [8760, "a year"],
] as const;

export function Sharing({ links, session }: { links: Links; session: string }) {
  const [hours, last] = useState(24);
  const [password, guard] = useState("");
  useEffect(() => {
    links.made.value = null;
    void links.look(session);
  }, [session]);
  return (
    <section>
      <h3>Share it</h3>
      <form
        class="fields"
        onSubmit={(event) => {
          event.preventDefault();
          void links.make(session, hours, password).then(() => guard(""));
        }}
      >
        <label class="field">
          <span>Good for</span>
          <select value={hours} onChange={(event) => last(Number(event.currentTarget.value))}>
            {HOURS.map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          <span>Password, if it is to have one</span>
          <input type="password" autocomplete="new-password" minLength={4} maxLength={256} value={password} onInput={(event) => guard(event.currentTarget.value)} />
        </label>
        <button type="submit" class="pill">
          Make a link
        </button>
      </form>
      {links.trouble.value && (
        <p class="wrong" role="alert">
          {links.trouble.value}
        </p>
      )}
      <Made links={links} />
      <ul class="links" aria-label="Links">
        {links.list.value.map(({ share_id: id, expires_at, password_protected, access_count }) => (
          <li key={id} data-testid="link">
            <span>
              Until {new Date(expires_at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" })}
              <span class="soft">
                {password_protected ? ", with a password" : ""}, {opened(access_count)}
              </span>
            </span>
            <button type="button" class="text" onClick={() => void links.revoke(session, id)}>
              End it
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function opened(times: number): string {
  if (times === 0) return "not opened yet";
  return times === 1 ? "opened once" : `opened ${times} times`;
}

/** Its address is shown this once. */
function Made({ links }: { links: Links }) {
  const made = links.made.value;
  const address = useRef<HTMLInputElement>(null);
  const [copied, note] = useState("");
  if (!made) return null;
  const copy = async () => {
    address.current?.select();
    // Only pages over https, or of this machine, may; for others it is selected.
    await navigator.clipboard?.writeText(made.share_url).then(() => note(made.share_id), () => {});
  };
  return (
    <p class="made">
      <input readOnly aria-label="The link, shown this once" value={made.share_url} ref={address} onFocus={(event) => event.currentTarget.select()} />
      <button type="button" class="pill" onClick={() => void copy()}>
        {copied === made.share_id ? "Copied" : "Copy"}
      </button>
    </p>
  );
}
