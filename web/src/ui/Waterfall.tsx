/** How long the last turns kept the person waiting, stage by stage. */

import type { Call } from "../talk/call.ts";
import { bars, median, type Turn } from "../talk/waterfall.ts";

export function Waterfall({ call }: { call: Call }) {
  const turns = call.turns.value;
  const last = turns.at(-1);
  const scale = Math.max(500, ...turns.flatMap((turn) => bars(turn).map((bar) => bar.to)));
  const middle = median(turns.flatMap((turn) => turn.firstAudio ?? []));
  return (
    <section class="panel" aria-labelledby="latency">
      <h2 id="latency">Latency</h2>
      {last ? (
        <>
          <Stages turn={last} scale={scale} />
          {turns.length > 1 && (
            <div class="earlier">
              <p class="soft">
                <span>Earlier turns</span>
                {middle !== undefined && <span class="figure">median {seconds(middle)}</span>}
              </p>
              <ol>
                {turns.slice(0, -1).reverse().map((turn) => (
                  <li key={turn.id} class="strip" aria-label={turn.firstAudio === undefined ? "no reply" : `first audio after ${seconds(turn.firstAudio)}`}>
                    {bars(turn).map((bar) => (
                      <span key={bar.stage} class={`bar bar-${bar.stage}`} style={place(bar.from, bar.to, scale)} />
                    ))}
                  </li>
                ))}
              </ol>
            </div>
          )}
        </>
      ) : (
        <p class="soft">After each turn: how long until its end was noticed, until it was understood, and until the answer began.</p>
      )}
    </section>
  );
}

function Stages({ turn, scale }: { turn: Turn; scale: number }) {
  return (
    <dl class="stages" data-testid="waterfall">
      {bars(turn).map((bar) => (
        <div key={bar.stage} class="stage-row">
          <dt>{bar.label}</dt>
          <dd class="figure">{Math.round(bar.to)} ms</dd>
          <dd class="track" aria-hidden="true">
            <span class={`bar bar-${bar.stage}`} style={place(bar.from, bar.to, scale)} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

const place = (from: number, to: number, scale: number) => ({ left: `${(from / scale) * 100}%`, width: `${Math.max(0.8, ((to - from) / scale) * 100)}%` });

const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;
