/**
 * Who we are to the relay.
 *
 * The relay prints a link with a pass in its fragment, which browsers send to nobody. It is taken out of the address bar and
 * kept until the last tab is closed; each call is opened with a client secret of its own, good for a minute.
 */

/** The pass is not good (any more), or there is none. */
export class Refused extends Error {}

/** The relay did not answer, or is too busy or about to leave; trying again later may help. */
export class Unavailable extends Error {}

/** What it takes to open one call. */
export interface Grant {
  secret: string;
  /** Where packets are passed on for those whom they do not reach; the relay's own TURN server, if it has one. */
  iceServers: RTCIceServer[];
}

const KEPT = "voice-relay.pass";

export class Access {
  #pass: string;
  readonly #storage: Pick<Storage, "getItem" | "setItem" | "removeItem">;
  readonly #origin: string;

  constructor(origin: string, storage: Pick<Storage, "getItem" | "setItem" | "removeItem">) {
    this.#origin = origin;
    this.#storage = storage;
    this.#pass = storage.getItem(KEPT) ?? "";
  }

  /** Takes the pass out of `#key=…`; true if there was one. */
  admit(fragment: string): boolean {
    const pass = new URLSearchParams(fragment.replace(/^#/, "")).get("key")?.trim();
    if (pass) this.keep(pass);
    return Boolean(pass);
  }

  keep(pass: string): void {
    this.#pass = pass;
    this.#storage.setItem(KEPT, pass);
  }

  /** Asks the other tabs of this browser for theirs, and from now on answers those that ask; true if there is one now. */
  async share(channel: BroadcastChannel): Promise<boolean> {
    const lent = new Promise<void>((resolve) => {
      channel.onmessage = ({ data }: MessageEvent<{ wanted?: true; pass?: string }>) => {
        if (data.wanted && this.known) channel.postMessage({ pass: this.#pass });
        if (data.pass && !this.known) this.keep(data.pass);
        resolve();
      };
    });
    if (this.known) return true;
    channel.postMessage({ wanted: true });
    await Promise.race([lent, new Promise((resolve) => setTimeout(resolve, LEND_MS))]);
    return this.known;
  }

  forget(): void {
    this.#pass = "";
    this.#storage.removeItem(KEPT);
  }

  get known(): boolean {
    return this.#pass !== "";
  }

  /** Asks for a resource of the relay. */
  get<T>(path: string): Promise<T> {
    return this.#ask<T>(path, { method: "GET" });
  }

  /** A client secret for one call with these settings. */
  async grant(session: object): Promise<Grant> {
    const body = JSON.stringify({ expires_after: { anchor: "created_at", seconds: SECRET_SECONDS }, session });
    const made = await this.#ask<{ value: string; ice_servers?: RTCIceServer[] }>("/v1/realtime/client_secrets", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    return { secret: made.value, iceServers: made.ice_servers ?? [] };
  }

  async #ask<T>(path: string, request: RequestInit): Promise<T> {
    if (!this.known) throw new Refused("no key");
    const headers = { ...request.headers, authorization: `Bearer ${this.#pass}` };
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const answer = await fetch(this.#origin + path, { ...request, headers, signal, cache: "no-store" }).catch(() => {
      throw new Unavailable("The relay does not answer.");
    });
    if (answer.ok) return (await answer.json()) as T;
    const told = await message(answer);
    if (answer.status === 401 || answer.status === 403) throw new Refused(told);
    if (answer.status === 429 || answer.status >= 500) throw new Unavailable(told);
    throw new Error(told);
  }
}

async function message(answer: globalThis.Response): Promise<string> {
  const body: unknown = await answer.json().catch(() => null);
  const told = (body as { error?: { message?: string }; detail?: string } | null) ?? {};
  return told.error?.message ?? told.detail ?? `The relay answered ${answer.status}.`;
}

/** Another tab answers at once, if there is one. */
const LEND_MS = 250;
/** Long enough to open a call on a slow line. */
const SECRET_SECONDS = 60;
const PATIENCE_MS = 8_000;
