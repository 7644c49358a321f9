/** What the page reads of the Realtime protocol's server events, and what it sends. Everything else passes unread. */

export interface Item {
  id: string;
  type: string;
  role?: string;
  content?: { type: string; text?: string; transcript?: string | null }[];
  metadata?: { citations?: Citation[]; tools?: ToolUse[] };
}

/** What a tool of the relay did for a reply, or would do once the person says yes. */
export interface ToolUse {
  name: string;
  /** `unknown`: it was begun, and nobody knows how it ended. */
  state: "proposed" | "unknown" | "done" | "failed";
  /** JSON text. An item of a voice session has neither this nor `output`. */
  arguments?: string;
  /** What came of it; of what is proposed what the person is asked. */
  output?: string;
}

/** Where an item has something from: a passage of a document, by the number that the item's words call it. */
export interface Citation {
  index: number;
  /** The document; it may have been deleted since. */
  source_id?: string | null;
  title?: string | null;
  authors?: string[];
  publication_date?: string | null;
  journal?: string | null;
  volume?: string | null;
  issue?: string | null;
  pages?: string | null;
  url?: string | null;
  doi?: string | null;
  /** How well the passage fits what was asked, 0 to 100. */
  relevance_score?: number | null;
  /** The words that bear the item out, and what they stand in. */
  quoted_text?: string | null;
  context?: string | null;
}

interface ByItem {
  item_id: string;
}

export type ServerEvent =
  | { type: "session.created" | "session.updated"; session: Session }
  | ({ type: "input_audio_buffer.speech_started"; audio_start_ms: number } & ByItem)
  | ({ type: "input_audio_buffer.speech_stopped"; audio_end_ms: number } & ByItem)
  | ({ type: "input_audio_buffer.committed" } & ByItem)
  | { type: "input_audio_buffer.cleared" }
  | { type: "conversation.item.added" | "conversation.item.done" | "conversation.item.retrieved"; item: Item }
  | ({ type: "conversation.item.deleted" } & ByItem)
  | ({ type: "conversation.item.truncated"; audio_end_ms: number } & ByItem)
  | ({ type: "conversation.item.input_audio_transcription.delta"; delta: string } & ByItem)
  | ({ type: "conversation.item.input_audio_transcription.completed"; transcript: string } & ByItem)
  | ({ type: "conversation.item.input_audio_transcription.failed"; error: { message?: string } } & ByItem)
  | { type: "response.created" | "response.done"; response: Response }
  | { type: "response.output_item.added"; response_id: string; item: Item }
  | ({ type: "response.output_audio.delta" | "response.output_audio.done"; response_id: string } & ByItem)
  | ({ type: "response.output_audio_transcript.delta" | "response.output_text.delta"; response_id: string; delta: string } & ByItem)
  | ({ type: "response.output_audio_transcript.done"; response_id: string; transcript: string } & ByItem)
  | { type: "output_audio_buffer.started" | "output_audio_buffer.stopped" | "output_audio_buffer.cleared"; response_id: string }
  | { type: "error"; error: { type?: string; code?: string | null; message: string; event_id?: string | null } };

export interface Response {
  id: string;
  status: "in_progress" | "completed" | "cancelled" | "failed" | "incomplete";
  status_details?: { reason?: string; error?: { message?: string } } | null;
}

export interface Session {
  id: string;
  model?: string;
  expires_at?: number;
  audio?: { input?: { turn_detection?: { type: string; silence_duration_ms?: number } | null }; output?: { voice?: string } };
}

/** An event of ours; the protocol decides what goes with its type. */
export interface ClientEvent {
  type: string;
  [field: string]: unknown;
}
