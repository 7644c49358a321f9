/** How good the connection is. */

import type { Call } from "../talk/call.ts";
import { verdict } from "../relay/quality.ts";

export function Line({ call }: { call: Call }) {
  const state = call.state.value;
  const { rttMs, loss, jitterMs, mos } = call.quality.value;
  if (state.name !== "live") {
    return (
      <section class="panel" aria-labelledby="line">
        <h2 id="line">Connection</h2>
        <p class="soft">{state.name === "idle" ? "Not connected." : "…"}</p>
      </section>
    );
  }
  return (
    <section class="panel" aria-labelledby="line" data-testid="quality">
      <h2 id="line">
        Connection <span class="soft">{state.kind === "webrtc" ? "WebRTC" : "WebSocket"}</span>
      </h2>
      <dl class="facts">
        <Fact name="Round trip" value={rttMs === undefined ? "–" : `${rttMs < 10 ? rttMs.toFixed(1) : Math.round(rttMs)} ms`} />
        <Fact name={state.kind === "webrtc" ? "Loss" : "Gaps"} value={loss === undefined ? "–" : `${(loss * 100).toFixed(1)} %`} />
        {state.kind === "webrtc" && <Fact name="Jitter" value={jitterMs === undefined ? "–" : `${jitterMs.toFixed(1)} ms`} />}
        <Fact name="MOS, estimated" value={mos === undefined ? "–" : `${mos.toFixed(1)}, ${verdict(mos)}`} />
      </dl>
    </section>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class="figure">{value}</dd>
    </div>
  );
}
