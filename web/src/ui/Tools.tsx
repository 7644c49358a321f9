/** What tools did for a reply: each by its name and how it ended, and on a click what it was given and what came of it. */

import type { ToolUse } from "../relay/events.ts";

export function Tools({ tools }: { tools: readonly ToolUse[] }) {
  return (
    <ul class="tools" aria-label="Tools">
      {tools.map((tool, at) => (
        <li key={at} data-testid="tool" data-state={tool.state}>
          <Tool tool={tool} />
        </li>
      ))}
    </ul>
  );
}

function Tool({ tool: { name, state, arguments: given, output } }: { tool: ToolUse }) {
  const head = (
    <>
      {name.replaceAll("_", " ")} <span class={state === "failed" ? "wrong" : "soft"}>{STATES[state]}</span>
    </>
  );
  // In a call the rest is known once the reply is kept.
  if (output === undefined) return head;
  return (
    <details>
      <summary>{head}</summary>
      <dl>
        <Detail label="Given" text={given ?? ""} />
        <Detail label={state === "proposed" ? "Asked" : "Came of it"} text={output} />
      </dl>
    </details>
  );
}

function Detail({ label, text }: { label: string; text: string }) {
  return (
    <>
      <dt class="soft">{label}</dt>
      <dd dir="auto" tabIndex={0}>
        {text}
      </dd>
    </>
  );
}

const STATES = { proposed: "asks first", done: "done", failed: "not done", unknown: "perhaps done" } as const;
