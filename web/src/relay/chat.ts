/** Follows one conversation: what is typed in it goes out here, and every turn is told here, whichever way it came. */

import { type Access, Failed, Refused } from "./access.ts";
import { backoff } from "./backoff.ts";
import { type Message, session } from "./conversations.ts";

/** What the relay tells; everything else passes unread. */
export type ChatEvent =
  | { type: "connected"; read_only: boolean }
  | { type: "history"; messages: Message[]; has_more: boolean }
  | { type: "user_message.created"; message: Message }
  | { type: "chunk"; message_id: string; content: string }
  | { type: "message.done"; message_id: string; message: Message }
  | { type: "error"; code: string; message: string; recoverable: boolean; client_message_id?: string };

export interface Follower {
  event(event: ChatEvent): void;
  /** The socket broke; another is on its way. */
  broken(): void;
  /** The conversation is not there any more. */
  gone(): void;
  /** The pass is not good any more. */
  refused(): void;
}

export class Chat {
  readonly #access: Access;
  readonly #session: string;
  readonly #follower: Follower;
  #socket: WebSocket | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #attempt = 0;
  #closed = false;

  constructor(access: Access, session: string, follower: Follower) {
    this.#access = access;
    this.#session = session;
    this.#follower = follower;
    void this.#open();
  }

  /** Says something now; false where there is no line yet. Sent again under the same `id` it is kept once. */
  say(content: string, id: string): boolean {
    return this.#send({ type: "message", content, client_message_id: id });
  }

  /** No more of the reply in the making. */
  cancel(): void {
    this.#send({ type: "cancel" });
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
  }

  #send(frame: object): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  async #open(): Promise<void> {
    let socket: WebSocket;
    try {
      socket = await this.#access.socket(`/api/realtime/ws?session_id=${this.#session}`);
    } catch (error) {
      if (this.#closed) return;
      return error instanceof Refused ? this.#follower.refused() : this.#lost();
    }
    if (this.#closed) return socket.close();
    this.#socket = socket;
    socket.onmessage = ({ data }: MessageEvent<string>) => {
      if (this.#closed) return;
      this.#attempt = 0;
      this.#follower.event(JSON.parse(data) as ChatEvent);
    };
    socket.onclose = () => {
      if (!this.#closed) this.#lost();
    };
  }

  #lost(): void {
    this.#follower.broken();
    this.#timer = setTimeout(() => void this.#again(), backoff(this.#attempt++));
  }

  /** A browser does not tell why a socket was refused: the conversation is asked for first. */
  async #again(): Promise<void> {
    try {
      await session(this.#access, this.#session);
    } catch (error) {
      if (this.#closed) return;
      if (error instanceof Refused) return this.#follower.refused();
      if (error instanceof Failed && error.status === 404) return this.#follower.gone();
    }
    if (!this.#closed) await this.#open();
  }
}
