/** The person's microphone: asked for once, changed while it runs, told when it is gone. */

import captureUrl from "./capture.worklet.ts?worker&url";
import { Level } from "./level.ts";

/** Why there is no microphone, in words for its owner. */
export class NoMicrophone extends Error {
  /** Whether the person, or the browser for them, said no. */
  readonly denied: boolean;

  constructor(message: string, denied: boolean) {
    super(message);
    this.denied = denied;
  }
}

export class Microphone {
  readonly level: Level;
  readonly #context: AudioContext;
  readonly #capture: AudioWorkletNode;
  #stream: MediaStream;
  #source: MediaStreamAudioSourceNode;
  /** The device was unplugged, or taken away. */
  onlost: () => void = () => {};

  private constructor(context: AudioContext, stream: MediaStream) {
    this.#context = context;
    this.#stream = stream;
    this.level = new Level(context);
    this.#capture = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
    this.#source = this.#connect(stream);
  }

  static async open(context: AudioContext, device: string): Promise<Microphone> {
    const stream = await ask(device);
    await context.audioWorklet.addModule(captureUrl);
    return new Microphone(context, stream);
  }

  get track(): MediaStreamTrack {
    return this.#stream.getAudioTracks()[0] as MediaStreamTrack;
  }

  get stream(): MediaStream {
    return this.#stream;
  }

  /** Silence is sent on, so that the relay's clock runs on. */
  set open(open: boolean) {
    this.track.enabled = open;
  }

  /** Pieces of 40 ms, 24 kHz, for a line that has no microphone of its own. */
  set onpiece(take: ((samples: Int16Array<ArrayBuffer>) => void) | null) {
    this.#capture.port.onmessage = take && (({ data }: MessageEvent<Int16Array<ArrayBuffer>>) => take(data));
  }

  /** Another device in place of this one; the old one goes on until the new one is there. */
  async change(device: string): Promise<void> {
    const stream = await ask(device);
    const { enabled } = this.track;
    this.#release();
    this.#stream = stream;
    this.track.enabled = enabled;
    this.#source = this.#connect(stream);
  }

  close(): void {
    this.onpiece = null;
    this.#release();
    this.#capture.disconnect();
  }

  #release(): void {
    this.track.onended = null;
    this.#source.disconnect();
    for (const track of this.#stream.getTracks()) track.stop();
  }

  #connect(stream: MediaStream): MediaStreamAudioSourceNode {
    const source = new MediaStreamAudioSourceNode(this.#context, { mediaStream: stream });
    source.connect(this.#capture);
    source.connect(this.level.node);
    (stream.getAudioTracks()[0] as MediaStreamTrack).onended = () => this.onlost();
    return source;
  }
}

async function ask(device: string): Promise<MediaStream> {
  // Pages that did not come over TLS or loopback have no such thing.
  if (!navigator.mediaDevices) {
    throw new NoMicrophone("This browser gives microphones to pages over https or on this machine only.", true);
  }
  const wishes = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  const audio = device ? { ...wishes, deviceId: { exact: device } } : wishes;
  try {
    return await navigator.mediaDevices.getUserMedia({ audio });
  } catch (error) {
    const name = error instanceof DOMException ? error.name : "";
    if (device && (name === "OverconstrainedError" || name === "NotFoundError")) return ask("");
    throw new NoMicrophone(REASONS[name] ?? "The microphone cannot be used.", name === "NotAllowedError");
  }
}

const REASONS: Record<string, string> = {
  NotAllowedError: "The microphone is blocked. Allow it in the browser's address bar, then try again.",
  NotFoundError: "There is no microphone here. Plug one in, then try again.",
  NotReadableError: "Another program holds the microphone. Close it, then try again.",
};
