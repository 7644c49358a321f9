// Holds every golden server event against the schemas of @openai/agents-realtime, as its socket does.
//
//     npm install @openai/agents-realtime && node tests/clients/golden.mjs [node_modules]
//
// An event its parser does not know well is silently dropped by it ("generic"), and items it parses further throw: both
// count as refused here. Exits with 1 and the reasons if one is.

import { readFileSync, readdirSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const modules = resolve(process.argv[2] ?? "node_modules");
const load = (file) => import(pathToFileURL(`${modules}/@openai/agents-realtime/dist/${file}`));
const { parseRealtimeEvent } = await load("openaiRealtimeEvents.mjs");
const { OpenAIRealtimeBase } = await load("openaiRealtimeBase.mjs");

// Kinds of content its schema lacks; it drops these events from any server.
const UNKNOWN_TO_CLIENT = new Set(["conversation.item.added.input_image.json", "input_audio_buffer.timeout_triggered.json"]);

class Socket extends OpenAIRealtimeBase {
  sendEvent() {}
  receive(text) {
    this._onMessage({ data: text });
  }
}

const folder = new URL("../golden/", import.meta.url);
const files = readdirSync(folder).filter((file) => file.endsWith(".json"));
let refused = 0;
for (const file of files) {
  const text = readFileSync(new URL(file, folder), "utf8");
  const socket = new Socket();
  socket.on("error", () => {});
  try {
    const { data, isGeneric } = parseRealtimeEvent({ data: text });
    if (data === null || (isGeneric && !UNKNOWN_TO_CLIENT.has(file))) throw new Error("not understood");
    socket.receive(text);
  } catch (error) {
    refused += 1;
    console.error(`${file}: ${error.message}`);
  }
}
console.log(`${files.length - refused} of ${files.length} server events are accepted`);
process.exit(refused || !files.length ? 1 : 0);
