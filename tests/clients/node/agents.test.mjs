// @openai/agents-realtime over WebSocket, logged in as browsers are: by subprotocol.
import assert from "node:assert/strict";
import { test } from "node:test";
import { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession, tool } from "@openai/agents-realtime";
import { z } from "zod";
import { LONG, MODEL, QUESTION, once, question, recording, speak, voice } from "./speech.mjs";
import { run } from "./snippets.mjs";
import { watch } from "./strict.mjs";
import { wire } from "./wire.mjs";

const weather = tool({
  name: "get_weather",
  description: "Current weather at a place",
  parameters: z.object({ city: z.string() }),
  execute: async ({ city }) => `It is sunny in ${city}.`,
});

async function connect(t, settings = {}, relay = process.env.RELAY_URL) {
  const url = `${relay.replace("http", "ws")}/v1/realtime?model=${MODEL}`;
  const agent = new RealtimeAgent({ name: "relay", instructions: "Answer briefly.", tools: [weather] });
  const session = new RealtimeSession(agent, {
    transport: new OpenAIRealtimeWebSocket({ url }),
    model: MODEL,
    config: settings,
  });
  watch(session.transport, "*");
  const errors = [];
  session.on("error", (error) => errors.push(error));
  t.after(() => session.close());
  await session.connect({ apiKey: process.env.RELAY_KEY });
  return { session, errors };
}

function buffer(audio) {
  return audio.buffer.slice(audio.byteOffset, audio.byteOffset + audio.length);
}

test("a spoken question is answered aloud and both sides are in the history", async (t) => {
  const { session, errors } = await connect(t, {
    audio: { input: { turnDetection: { type: "server_vad" }, transcription: { model: "whisper-1" } } },
  });
  let bytes = 0;
  session.on("audio", (event) => (bytes += event.data.byteLength));
  const answered = once(session.transport, "turn_done");
  await speak(question(), (audio) => session.sendAudio(buffer(audio)));
  await answered;
  assert.ok(bytes > 24000, `${bytes} bytes of speech`);
  const said = session.history.filter((item) => item.type === "message").map((item) => item.role);
  assert.deepEqual(said, ["user", "assistant"]);
  assert.deepEqual(errors, []);
});

test("words that come before their item do not confuse the history", async (t) => {
  const turnDetection = { type: "server_vad", silenceDurationMs: 1500 };
  const transcription = { model: "whisper-1", language: "en" };
  const { session, errors } = await connect(t, { audio: { input: { turnDetection, transcription } } });
  const order = [];
  session.transport.on("*", (event) => order.push(event.type));
  const answered = once(session.transport, "response.created");
  await speak(recording("austen-0870.wav"), (audio) => session.sendAudio(buffer(audio)));
  await answered;
  const words = order.indexOf("conversation.item.input_audio_transcription.delta");
  assert.ok(words >= 0 && words < order.indexOf("conversation.item.added"), order.join());
  assert.equal(session.history[0].role, "user");
  assert.deepEqual(errors, []);
});

test("speaking over the reply interrupts it and the next words are answered", async (t) => {
  const { session, errors } = await connect(t, { audio: { input: { turnDetection: { type: "server_vad" } } } });
  session.sendMessage(LONG);
  await once(session, "audio");
  const interrupted = once(session, "audio_interrupted");
  const answered = once(session.transport, "response.done", (event) => event.response.status === "completed");
  await Promise.all([speak(question(), (audio) => session.sendAudio(buffer(audio))), interrupted, answered]);
  assert.deepEqual(errors, []);
});

test("a tool is called by voice and its result spoken", async (t) => {
  const { session, errors } = await connect(t);
  const called = once(session, "agent_tool_end");
  const said = once(session, "agent_end");
  await speak(await voice("What is the weather in Paris?"), (audio) => session.sendAudio(buffer(audio)));
  await called;
  await said;
  assert.deepEqual(errors, []);
});

test("a cut is told, and a new session takes the history and goes on", async (t) => {
  const { url, cut } = await wire(t, process.env.RELAY_URL);
  const { session } = await connect(t, {}, url);
  const introduced = once(session.transport, "turn_done");
  session.sendMessage("My name is Ada.");
  await introduced;
  const lost = once(session.transport, "connection_change", (status) => status === "disconnected");
  cut();
  await lost;
  const next = await connect(t, {}, url);
  const taken = once(next.session.transport, "conversation.item.added", (event) => event.item.role === "assistant");
  const written = ({ content: [{ transcript }], ...item }) => ({ ...item, content: [{ type: "output_text", text: transcript }] });
  next.session.updateHistory(session.history.map((item) => (item.role === "assistant" ? written(item) : item)));
  await taken;
  const answered = once(next.session.transport, "turn_done");
  next.session.sendMessage("What is my name?");
  await answered;
  assert.match(next.session.history.at(-1).content[0].transcript, /Ada/);
  assert.deepEqual(next.errors, []);
});

test("the program of the guide talks", async () => {
  const [user, assistant] = await run("agents_talk.mjs", process.env.RELAY_URL, QUESTION);
  assert.match(user, /^user: .*12 times 7/);
  assert.match(assistant, /^assistant: .*84/);
});
