/** A button for what cannot be taken back: it asks once more in its own place. */

import { useState } from "preact/hooks";

export function Sure({ label, question, onSure, children }: { label: string; question: string; onSure: () => void; children?: preact.ComponentChildren }) {
  const [asking, ask] = useState(false);
  if (!asking) {
    return (
      <button type="button" class={children ? "quiet" : "text"} aria-label={label} onClick={() => ask(true)}>
        {children ?? label}
      </button>
    );
  }
  return (
    <button
      type="button"
      class="text wrong"
      ref={(button) => button?.focus()}
      onBlur={() => ask(false)}
      onClick={() => {
        ask(false);
        onSure();
      }}
    >
      {question}
    </button>
  );
}
