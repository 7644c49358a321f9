// Typed conversations by npm `openai`: whole, streamed, with functions, and what is refused.
import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";

const client = new OpenAI({ apiKey: process.env.RELAY_KEY, baseURL: `${process.env.RELAY_URL}/v1`, maxRetries: 0 });
const model = "gpt-4o-mini";
const messages = [{ role: "user", content: "What is 12 times 7?" }];
const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const weather = { name: "get_weather", description: "Current weather at a place", parameters };
const tools = [{ type: "function", function: weather }];

test("an answer is whole and true", async () => {
  const answer = await client.chat.completions.create({ model, messages, store: false });
  assert.match(answer.choices[0].message.content, /84/);
  assert.equal(answer.choices[0].finish_reason, "stop");
  assert.equal(answer.model, "local/agent");
});

test("a stream joins to the answer", async () => {
  const stream = client.chat.completions.stream({ model, messages });
  let text = "";
  stream.on("content", (delta) => (text += delta));
  const final = await stream.finalChatCompletion();
  assert.match(text, /84/);
  assert.equal(final.choices[0].message.content, text);
});

test("a stream that is given up ends", async () => {
  const stream = await client.chat.completions.create({ model, messages, stream: true });
  for await (const chunk of stream) {
    assert.equal(chunk.object, "chat.completion.chunk");
    break;
  }
  assert.ok(stream.controller.signal.aborted);
});

test("the SDK runs a function and tells its result", async () => {
  const asked = [];
  const get_weather = ({ city }) => {
    asked.push(city);
    return `It is sunny in ${city}.`;
  };
  const runnable = { type: "function", function: { ...weather, function: get_weather, parse: JSON.parse } };
  const content = "What is the weather in Paris?";
  const runner = client.chat.completions.runTools({ model, messages: [{ role: "user", content }], tools: [runnable] });
  assert.match(await runner.finalContent(), /sunny/);
  assert.deepEqual(asked, ["Paris"]);
});

test("what cannot be had is an error of the SDK", async () => {
  await assert.rejects(client.chat.completions.create({ model, messages, n: 2 }), (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError);
    return error.param === "n" && error.code === "unsupported_parameter";
  });
  const unknown = client.chat.completions.create({ model: "claude-x", messages, tools });
  await assert.rejects(unknown, (error) => error instanceof OpenAI.NotFoundError && error.code === "model_not_found");
});
