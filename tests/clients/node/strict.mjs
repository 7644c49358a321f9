// The JavaScript clients' own schemas, held against what the relay sends: the zod schemas of @openai/agents-realtime, which
// silently drops what does not fit them, and the TypeScript types of `openai`, which checks nothing at run time.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { after } from "node:test";
import { pathToFileURL } from "node:url";

// What its schemas leave out, so that it drops these events from any server.
const unknownToAgents = (event) =>
  event.type === "input_audio_buffer.timeout_triggered" ||
  event.item?.content?.some((part) => part.type === "input_image") ||
  event.session?.type === "transcription";

// The package exports neither its parser nor its base class.
const load = (file) => import(pathToFileURL(`node_modules/@openai/agents-realtime/dist/${file}`));
const { parseRealtimeEvent } = await load("openaiRealtimeEvents.mjs");
const { OpenAIRealtimeBase } = await load("openaiRealtimeBase.mjs");

class Socket extends OpenAIRealtimeBase {
  sendEvent() {}
  receive(text) {
    this._onMessage({ data: text });
  }
}

/** Throws if @openai/agents-realtime would drop the event, or throw at it as it does at some items. */
export function fitsAgents(event) {
  if (unknownToAgents(event)) return;
  const text = JSON.stringify(event);
  const { data, isGeneric } = parseRealtimeEvent({ data: text });
  assert.ok(data !== null && !isGeneric, `agents-realtime drops ${text}`);
  const socket = new Socket();
  socket.on("error", () => {});
  socket.receive(text);
}

// The types know no null: the hosted service, too, sends it for optional members that are not there. What is required and
// null is then missing, which the compiler tells.
const withoutNull = (_, value) => (value === null ? undefined : value);

/** Throws with what the compiler says if an event is not of the type `RealtimeServerEvent` of `openai`. */
export function fitsTypes(events) {
  const file = `events-${process.pid}.ts`;
  const lines = [
    'import type { RealtimeServerEvent } from "openai/resources/realtime/realtime";',
    "function event<T extends RealtimeServerEvent>(_: T) {}",
    ...events.map((event) => `event(${JSON.stringify(event, withoutNull)});`),
  ];
  writeFileSync(file, lines.join("\n"));
  const options = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2023", "--module", "nodenext", "--types", ""];
  try {
    execFileSync("node_modules/.bin/tsc", [...options, file], { encoding: "utf8" });
  } catch (error) {
    assert.fail(error.stdout || error.message);
  }
}

const seen = [];

/** Has every event that `emitter` tells of by `name` checked when the tests of the file are over. */
export function watch(emitter, name) {
  emitter.on(name, (event) => seen.push(structuredClone(event)));
}

after(() => {
  for (const event of seen) fitsAgents(event);
  if (seen.length) fitsTypes(seen);
});
