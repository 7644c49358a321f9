// The programs of docs/clients.md: the tests run what users paste.
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";

const text = readFileSync(`${process.env.RELAY_ROOT}/docs/clients.md`, "utf8");
const programs = new Map([...text.matchAll(/^```js (\w+\.mjs)\n(.*?)^```$/gms)].map(([, name, body]) => [name, body]));

/** Runs a program of the guide with the relay at `url` and gives back the lines it printed. */
export async function run(name, url, ...args) {
  const body = programs.get(name);
  if (body === undefined) throw new Error(`docs/clients.md has no ${name}`);
  writeFileSync(name, body);
  const options = { env: { ...process.env, RELAY_URL: url }, timeout: 60_000 };
  const { stdout } = await promisify(execFile)(process.execPath, [name, ...args], options);
  return stdout.trim().split("\n");
}
