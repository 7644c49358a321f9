// A relay with the embedded engines, and people with browsers and voices.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, createWriteStream, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium } from "playwright-core";

import { script } from "./microphone.mjs";

const { VOICE_RELAY_BIN, VOICE_RELAY_MODELS, PAGE_ARTEFACTS = "target/page", PAGE_DIST } = process.env;
mkdirSync(PAGE_ARTEFACTS, { recursive: true });

/** A relay of one test file, which can be killed and started again on the same port with the same data. */
export class Relay {
  #dir = mkdtempSync(join(tmpdir(), "voice-relay-page-"));
  #config = join(this.#dir, "config.toml");
  #process;
  #port;

  /** `config`: what its file says, in TOML. */
  static async start(config = "") {
    const relay = new Relay();
    relay.#port = await freePort();
    writeFileSync(relay.#config, config);
    await relay.start();
    return relay;
  }

  /** Starts, and takes what it prints for people: the link, and the first time the admin key. */
  async start() {
    const listen = `127.0.0.1:${this.#port}`;
    const env = { ...process.env, VOICE_RELAY__MODELS__DIR: VOICE_RELAY_MODELS, VOICE_RELAY__LOG__LEVEL: "debug" };
    this.#process = spawn(VOICE_RELAY_BIN, ["serve", "--config", this.#config, "--listen", listen, "--data-dir", this.#dir], { env, stdio: ["ignore", "pipe", "pipe"] });
    this.#process.stderr.pipe(createWriteStream(join(PAGE_ARTEFACTS, "relay.log"), { flags: "a" }));
    // Read to its end: a relay whose output nobody takes would die of it.
    this.link = await new Promise((resolve, reject) => {
      let said = "";
      this.#process.stdout.on("data", (chunk) => {
        said += chunk;
        const link = /https?:\S+#key=\S+/.exec(said)?.[0];
        this.admin ??= /admin key \(.*\): (\S+)/.exec(said)?.[1];
        if (link && said.includes("voice-relay talk")) resolve(link);
      });
      this.#process.once("exit", () => reject(new Error(`the relay did not start: ${said}`)));
    });
    this.url = new URL(this.link).origin;
    this.key = new URL(this.link).hash.slice("#key=".length);
  }

  /** What REST has at `path`, with the page's own key. */
  get(path) {
    return this.#ask(path, {});
  }

  /** Puts something there. */
  post(path, body) {
    return this.#ask(path, { method: "POST", body: JSON.stringify(body) });
  }

  async #ask(path, request) {
    const headers = { authorization: `Bearer ${this.key}`, "content-type": "application/json" };
    const answer = await fetch(this.url + path, { ...request, headers });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  /** No farewell: as when the power fails. */
  async kill() {
    const gone = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await gone;
  }

  async stop() {
    const gone = once(this.#process, "exit");
    this.#process.kill("SIGTERM");
    await gone;
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

/** Somebody with a browser, who says these lines once the microphone is open. */
export async function person(relay, lines, options = {}) {
  const dir = mkdtempSync(join(tmpdir(), "voice-relay-mic-"));
  const heard = script(join(dir, "microphone.wav"), ...lines);
  const args = ["--no-sandbox", "--use-fake-device-for-media-stream", `--use-file-for-fake-audio-capture=${heard}%noloop`];
  if (!options.refuses) args.push("--use-fake-ui-for-media-stream");
  // What comes from no server may not reach one of this machine.
  if (PAGE_DIST) args.push("--disable-features=LocalNetworkAccessChecks");
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args });
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options.context });
  if (PAGE_DIST) await context.route((url) => url.origin === relay.url && /^\/($|assets\/)/.test(url.pathname), fromFolder);
  const open = async (choices = {}) => {
    const page = await context.newPage();
    const complaints = [];
    page.on("console", (message) => {
      // Losing the network is told by the browser itself and is not the page's fault.
      if (message.type() === "error" && !/net::ERR|WebSocket connection|404|50[0-9]/.test(message.text())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.addInitScript((choices) => {
      if (!localStorage.getItem("voice-relay.choices")) localStorage.setItem("voice-relay.choices", JSON.stringify(choices));
    }, choices);
    await page.addInitScript(watch);
    await options.prepare?.(page);
    await page.goto(options.link ?? relay.link);
    return new Talk(page, complaints);
  };
  return {
    open,
    context,
    close: async () => {
      await browser.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** For whoever works on the page: what `scripts/web` built last, in place of what is in the binary, with its headers. */
async function fromFolder(route) {
  const url = new URL(route.request().url());
  const served = await route.fetch({ url: url.origin, headers: { accept: "text/html" } });
  const { "content-encoding": _, "content-length": __, "content-type": ___, ...headers } = served.headers();
  const path = join(PAGE_DIST, url.pathname === "/" ? "index.html" : url.pathname);
  await route.fulfill({ path, headers });
}

/** The page, as a person uses it. */
export class Talk {
  constructor(page, complaints) {
    this.page = page;
    this.complaints = complaints;
  }

  async press(name) {
    await this.page.getByRole("button", { name, exact: true }).click();
  }

  /** Presses the button and waits until the line is open. */
  async begin() {
    await this.press("Talk");
    await this.state(/^Live/);
  }

  async type(text) {
    await this.page.getByRole("textbox", { name: "Type instead of speaking" }).fill(text);
    await this.page.keyboard.press("Enter");
  }

  async state(pattern, timeout = 20_000) {
    await this.until(async () => pattern.test(await this.page.getByTestId("state").innerText()), `state ${pattern}`, timeout);
  }

  async floor(wanted, timeout = 20_000) {
    await this.until(async () => (await this.page.getByTestId("floor").getAttribute("data-floor")) === wanted, `floor ${wanted}`, timeout);
  }

  /** What is on the screen: who, what, and whether it ended well. */
  lines() {
    // All in one moment: lines come and go.
    return this.page.locator("[data-testid^=line-]").evaluateAll((lines) =>
      lines.map((line) => ({
        who: line.dataset.testid.slice(5),
        text: line.querySelector(".words").innerText.replace(/\s+/g, " ").trim(),
        state: line.dataset.state,
      })),
    );
  }

  /** Every state in which a line has been on the screen. */
  seen() {
    return this.page.evaluate(() => window.seen);
  }

  /** Waits for a line that fits; gives it. */
  async line(who, pattern, state = /done/, timeout = 30_000) {
    let found;
    await this.until(
      async () => (found = (await this.lines()).find((line) => line.who === who && pattern.test(line.text) && state.test(line.state))),
      `${who} ${pattern} ${state}`,
      timeout,
    );
    return found;
  }

  async until(condition, what, timeout) {
    const end = Date.now() + timeout;
    while (!(await condition().catch(() => false))) {
      if (Date.now() > end) {
        await this.shot("failed").catch(() => {});
        const seen = await this.lines().catch(() => []);
        throw new Error(`not in time: ${what}\n${JSON.stringify(seen, null, 1)}\n${this.complaints.join("\n")}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
  }

  async shot(name) {
    await this.page.screenshot({ path: join(PAGE_ARTEFACTS, `${name}.png`) });
  }
}

/** Runs in the page: notes each line whenever it changes. */
function watch() {
  window.seen = [];
  new MutationObserver(() => {
    const line = [...document.querySelectorAll("[data-testid^=line-]")].map((line) => ({
      who: line.dataset.testid.slice(5),
      state: line.dataset.state,
      text: line.querySelector(".words").textContent,
    }));
    window.seen.push(...line.filter((now) => !window.seen.some((then) => then.text === now.text && then.state === now.state)));
  }).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}
