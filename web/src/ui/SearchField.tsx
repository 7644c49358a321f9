/** A field to search by: it searches when it is sent, and shows all again once it is emptied. */

import { useState } from "preact/hooks";

export function SearchField({ label, longest, begun, onSearch, onEmptied }: { label: string; longest: number; begun: string; onSearch: (words: string) => void; onEmptied: () => void }) {
  const [words, want] = useState(begun);
  return (
    <form
      class="search"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        onSearch(words);
      }}
    >
      <input
        type="search"
        aria-label={label}
        placeholder={label}
        maxLength={longest}
        value={words}
        onInput={(event) => {
          want(event.currentTarget.value);
          if (!event.currentTarget.value) onEmptied();
        }}
      />
    </form>
  );
}
