// npm `openai`, which insists on TLS: the relay serves it with its self-signed certificate.
import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";
import { OpenAIRealtimeWS } from "openai/realtime/ws";
import { MODEL, once, question, speak } from "./speech.mjs";

const client = new OpenAI({ apiKey: process.env.RELAY_KEY, baseURL: `${process.env.RELAY_TLS_URL}/v1` });

async function connect(t) {
  const socket = new OpenAIRealtimeWS({ model: MODEL, options: { rejectUnauthorized: false } }, client);
  t.after(() => socket.close());
  await once(socket, "session.created");
  return socket;
}

test("a spoken question is answered aloud", async (t) => {
  const relay = await connect(t);
  let bytes = 0;
  relay.on("response.output_audio.delta", (event) => (bytes += Buffer.from(event.delta, "base64").length));
  const done = once(relay, "response.done");
  await speak(question(), (audio) => relay.send({ type: "input_audio_buffer.append", audio: audio.toString("base64") }));
  assert.equal((await done).response.status, "completed");
  assert.ok(bytes > 24000, `${bytes} bytes of speech`);
});

test("speaking over the reply stops it and the next words are answered", async (t) => {
  const relay = await connect(t);
  const text = "say " + "the quick brown fox jumps over the lazy dog, and ".repeat(12);
  relay.send({
    type: "conversation.item.create",
    item: { type: "message", role: "user", content: [{ type: "input_text", text }] },
  });
  relay.send({ type: "response.create" });
  await once(relay, "response.output_audio.delta");
  const cut = once(relay, "response.done", (event) => event.response.status === "cancelled");
  const answer = once(relay, "response.done", (event) => event.response.status === "completed");
  await speak(question(), (audio) => relay.send({ type: "input_audio_buffer.append", audio: audio.toString("base64") }));
  assert.equal((await cut).response.status_details.reason, "turn_detected");
  await answer;
});

test("a malformed event is answered with an error and the session goes on", async (t) => {
  const relay = await connect(t);
  const refused = once(relay, "error");
  relay.send({ type: "no.such.event", event_id: "mine" });
  assert.equal((await refused).error.event_id, "mine");
  const done = once(relay, "response.done");
  relay.send({ type: "response.create", response: { output_modalities: ["text"], instructions: "Say hello." } });
  assert.equal((await done).response.status, "completed");
});
