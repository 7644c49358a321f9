// npm `openai` as Azure's users have it: an endpoint, a deployment, `api-key`. It insists on TLS, as ever.
import assert from "node:assert/strict";
import { test } from "node:test";
import { AzureOpenAI } from "openai";
import { OpenAIRealtimeWS } from "openai/realtime/ws";
import { MODEL, once, question, speak } from "./speech.mjs";
import { watch } from "./strict.mjs";

test("Azure's client converses by endpoint and deployment", async (t) => {
  const client = new AzureOpenAI({
    apiKey: process.env.RELAY_KEY,
    apiVersion: "2025-08-28",
    endpoint: process.env.RELAY_TLS_URL,
    deployment: MODEL,
  });
  const relay = await OpenAIRealtimeWS.azure(client, { options: { rejectUnauthorized: false } });
  watch(relay, "event");
  t.after(() => relay.close());
  await once(relay, "session.created");
  const done = once(relay, "response.done");
  await speak(question(), (audio) => relay.send({ type: "input_audio_buffer.append", audio: audio.toString("base64") }));
  assert.equal((await done).response.status, "completed");
});
