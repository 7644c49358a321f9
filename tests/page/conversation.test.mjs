// Whole spoken conversations with an interruption, by either line: recorded people speak, the embedded engines answer.

import assert from "node:assert/strict";
import { availableParallelism, loadavg } from "node:os";
import { after, before, test } from "node:test";

import { person, Relay } from "./stage.mjs";

let relay;
before(async () => (relay = await Relay.start()));
after(() => relay.stop());

/** A question, and then somebody who talks and talks. Muting decides what of it is heard, however busy the machine is. */
const TALKER = Array.from({ length: 8 }, () => [[1.5, "austen-0870"], [1.5, "cards-005"]]).flat();
const LINES = [[2.5, "question"], [2, "austen-0870"], ...TALKER];

for (const [carrier, live] of [["websocket", /WebSocket/], ["webrtc", /WebRTC/]]) {
  test(`a conversation with an interruption, by ${carrier}`, { timeout: 120_000 }, async (t) => {
    const someone = await person(relay, LINES);
    t.after(() => someone.close());
    const talk = await someone.open({ carrier });
    await talk.begin();
    await talk.state(live);

    await talk.floor("you");
    await talk.floor("thinking");
    await talk.press("Mute the microphone");
    await talk.floor("relay");
    await talk.line("relay", /^12 times 7 is 84\.$/);
    await talk.line("you", /what is 12 times 7/i);
    const figures = await talk.page.getByTestId("waterfall").locator(".figure").allInnerTexts();
    const ms = figures.map((figure) => Number.parseInt(figure, 10));
    assert.equal(ms.length, 4, figures.join());
    assert.equal(ms[0], 500);
    assert.ok(ms[1] > 500 && ms[3] >= ms[2], `stages in their order: ${figures.join()}`);

    // A sentence that is answered at length.
    await talk.press("Mute the microphone");
    await talk.floor("you");
    await talk.shot(`${carrier}-listening`);
    await talk.floor("thinking");
    await talk.press("Mute the microphone");
    const speaking = await talk.line("relay", /^You (said|asked): \w+/, /live/);
    assert.doesNotMatch(speaking.text, /built-in agent/, "words are shown before they are heard");
    await talk.shot(`${carrier}-speaking`);

    // Somebody who does not wait for the end of it.
    await talk.press("Mute the microphone");
    const cut = await talk.line("relay", /^You (said|asked):.*interrupted$/, /cut/);
    assert.doesNotMatch(cut.text, /in this conversation/, "more is shown than can have been heard");
    await talk.floor("thinking");
    await talk.press("Mute the microphone");
    await talk.shot(`${carrier}-interrupted`);
    await talk.until(async () => (await talk.lines()).at(-1).who === "relay" && /^You (said|asked): \w+/.test((await talk.lines()).at(-1).text), "the interruption is answered", 40_000);

    const partial = (await talk.seen()).filter(({ who, state, text }) => who === "you" && state === "live" && /\w/.test(text));
    if (loadavg()[0] < 2 * availableParallelism()) assert.ok(partial.length > 0, "no partial text was shown");
    else t.diagnostic(`the machine is too busy to expect partial transcripts; ${partial.length} seen`);
    assert.match(await talk.page.getByTestId("quality").innerText(), /Round trip\s+[\d.]+ ms[^]*MOS, estimated\s+\d\.\d, \w+/);
    assert.match(await talk.page.getByTestId("engines").innerText(), /whisper-base[^]*agent[^]*hibari/);
    await talk.shot(`${carrier}-conversation`);
    await talk.press("End");
    await talk.state(/Ready/);
    assert.deepEqual(talk.complaints, []);
  });
}
