// npm `openai`, which insists on TLS: the relay serves it with its self-signed certificate.
import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";
import { OpenAIRealtimeWS } from "openai/realtime/ws";
import { LONG, MODEL, QUESTION, once, question, speak, voice } from "./speech.mjs";
import { run } from "./snippets.mjs";
import { watch } from "./strict.mjs";
import { wire } from "./wire.mjs";

async function connect(t, { url = process.env.RELAY_TLS_URL, ...settings } = {}) {
  const client = new OpenAI({ apiKey: process.env.RELAY_KEY, baseURL: `${url}/v1` });
  const socket = new OpenAIRealtimeWS({ model: MODEL, options: { rejectUnauthorized: false }, ...settings }, client);
  watch(socket, "event");
  t.after(() => socket.close());
  await once(socket, "session.created");
  return socket;
}

test("a spoken question is answered aloud", async (t) => {
  const relay = await connect(t);
  let bytes = 0;
  relay.on("response.output_audio.delta", (event) => (bytes += Buffer.from(event.delta, "base64").length));
  const done = once(relay, "response.done");
  await speak(question(), saying(relay));
  assert.equal((await done).response.status, "completed");
  assert.ok(bytes > 24000, `${bytes} bytes of speech`);
});

const saying = (relay) => (audio) => relay.send({ type: "input_audio_buffer.append", audio: audio.toString("base64") });

function ask(relay, text) {
  const content = [{ type: "input_text", text }];
  relay.send({ type: "conversation.item.create", item: { type: "message", role: "user", content } });
  relay.send({ type: "response.create" });
}

test("speaking over the reply stops it and the next words are answered", async (t) => {
  const relay = await connect(t);
  ask(relay, LONG);
  await once(relay, "response.output_audio.delta");
  const cut = once(relay, "response.done", (event) => event.response.status === "cancelled");
  const answer = once(relay, "response.done", (event) => event.response.status === "completed");
  await speak(question(), saying(relay));
  assert.equal((await cut).response.status_details.reason, "turn_detected");
  await answer;
});

test("a tool is called by voice and its result spoken", async (t) => {
  const relay = await connect(t);
  const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
  const weather = { type: "function", name: "get_weather", description: "Current weather at a place", parameters };
  relay.send({ type: "session.update", session: { type: "realtime", tools: [weather] } });
  const called = once(relay, "response.function_call_arguments.done");
  const done = once(relay, "response.done");
  await speak(await voice("What is the weather in Paris?"), saying(relay));
  assert.deepEqual(JSON.parse((await called).arguments), { city: "Paris" });
  await done;
  const said = once(relay, "response.output_audio_transcript.done");
  const item = { type: "function_call_output", call_id: (await called).call_id, output: "It is sunny in Paris." };
  relay.send({ type: "conversation.item.create", item });
  relay.send({ type: "response.create" });
  assert.match((await said).transcript, /sunny/);
});

test("after a cut the SDK dials again and a new session goes on", async (t) => {
  const { url, cut } = await wire(t, process.env.RELAY_TLS_URL);
  const relay = await connect(t, { url, reconnect: { onReconnecting() {} } });
  relay.on("error", () => {});
  ask(relay, LONG);
  await once(relay, "response.output_audio.delta");
  const created = once(relay, "session.created");
  cut();
  await created;
  relay.flushPending();
  const said = once(relay, "response.output_audio_transcript.done");
  await speak(question(), saying(relay));
  assert.match((await said).transcript, /84/);
});

test("the program of the guide talks", async () => {
  const [user, assistant] = await run("openai_talk.mjs", process.env.RELAY_TLS_URL, QUESTION);
  assert.match(user, /^user: .*12 times 7/);
  assert.match(assistant, /^assistant: .*84/);
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
