/** WebRTC first; a WebSocket where that does not connect, is not there, or nobody speaks. */

import type { Line, Opening } from "./line.ts";
import { openSocket } from "./socket.ts";
import { openWebRtc, webrtcAvailable } from "./webrtc.ts";

/** How the person wants it carried. */
export type Carrier = "auto" | "webrtc" | "websocket";

export class Dialler {
  /** UDP did not pass, but a WebSocket did: further calls need not wait for that again. */
  #blocked = false;

  async dial(opening: Opening, carrier: Carrier, context: AudioContext): Promise<Line> {
    const { microphone } = opening;
    const wanted = carrier === "webrtc" || (carrier === "auto" && !this.#blocked);
    if (!microphone || !wanted || !webrtcAvailable()) return openSocket(opening);
    try {
      return await openWebRtc({ ...opening, microphone }, context);
    } catch (error) {
      if (carrier === "webrtc") throw error;
    }
    const line = await openSocket(opening);
    this.#blocked = true;
    return line;
  }
}
