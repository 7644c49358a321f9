/** What was said, as it is being said. */

import { Fragment } from "preact";
import { useEffect, useRef } from "preact/hooks";

import type { Room } from "../talk/room.ts";
import type { Entry } from "../talk/transcript.ts";
import { Files } from "./Files.tsx";
import { Sources, Words } from "./Sources.tsx";
import { Tools } from "./Tools.tsx";

export function Transcript({ room }: { room: Room }) {
  const { call, thread } = room;
  const entries = thread.entries.value;
  const box = useRef<HTMLElement>(null);
  const length = entries.reduce((sum, entry) => sum + entry.said + 1, 0);
  useEffect(() => {
    const scroller = box.current;
    if (!scroller) return;
    // Who scrolled up to read is left in peace.
    const near = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_PX;
    if (near) scroller.scrollTop = scroller.scrollHeight;
  }, [length]);
  const place = entries.find(({ message }) => message === thread.place.value)?.id;
  useEffect(() => box.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "center" }), [place]);
  return (
    <section class="transcript" aria-label="Conversation" ref={box} tabIndex={0} onDrop={(event) => void room.shelf.files.attach([...(event.dataTransfer?.files ?? [])])}>
      {entries.length === 0 && !thread.session.value && <Welcome head={invitation(room)} onAsk={(text) => call.type(text)} />}
      {thread.more.value && (
        <button type="button" class="text" onClick={() => void thread.whole()}>
          Show what was said before
        </button>
      )}
      {entries.length > 0 && (
        <ol class="lines">
          {entries.map((entry) => (
            <Fragment key={entry.id}>
              {entry.id === thread.gap.value && (
                <li>
                  <button type="button" class="text" onClick={() => void thread.whole()}>
                    Show what was said in between
                  </button>
                </li>
              )}
              <Line entry={entry} sought={entry.id === place} room={room} />
            </Fragment>
          ))}
        </ol>
      )}
    </section>
  );
}

function Line({ entry, sought, room }: { entry: Entry; sought: boolean; room: Room }) {
  const text = entry.text.slice(0, entry.said);
  return (
    <li class={`line line-${entry.who} line-${entry.state}`} data-testid={`line-${entry.who}`} data-state={entry.state} aria-current={sought ? "location" : undefined}>
      <span class="who">{entry.who === "you" ? "You" : "Relay"}</span>
      <p class="words">
        {text ? <Words text={text} entry={entry} reading={room.shelf.reading} /> : (entry.state === "failed" ? <span class="soft">could not be understood</span> : <span class="waiting" aria-label="…" role="img" />)}
        {entry.state === "cut" && (
          <span class="cut" title="Interrupted here">
            <span aria-hidden="true">—</span> interrupted
          </span>
        )}
      </p>
      {entry.tools && <Tools tools={entry.tools} />}
      {entry.sources && <Sources sources={entry.sources} said={text} reading={room.shelf.reading} />}
      {entry.files && entry.files.length > 0 && <Files message={entry.message ?? ""} files={entry.files} of={room.shelf.files} />}
    </li>
  );
}

function invitation({ call, choices }: Room): string {
  if (call.state.value.name === "idle") return "Press the button and talk.";
  return choices.value.pushToTalk ? "Hold the button and talk." : "Just talk.";
}

function Welcome({ head, onAsk }: { head: string; onAsk: (text: string) => void }) {
  return (
    <div class="welcome">
      <h2>{head}</h2>
      <p class="lead">Say what you like, and interrupt whenever you like: your own relay listens, thinks and speaks.</p>
      <ul class="asks" aria-label="Things to ask">
        {ASKS.map((ask) => (
          <li key={ask}>
            <button type="button" class="ask" onClick={() => onAsk(ask)}>
              {ask}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

const ASKS = ["What is twelve times seven?", "What time is it in Tokyo?", "Count to thirty.", "What can you do?"];
/** About three lines. */
const NEAR_PX = 160;
