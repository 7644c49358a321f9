// What axe finds on a page against WCAG 2.2 AA.

import { readFileSync } from "node:fs";

const AXE = readFileSync(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

export async function faults(page) {
  // Not through the page's own policy: as a browser's extension would.
  const client = await page.context().newCDPSession(page);
  await client.send("Runtime.evaluate", { expression: AXE });
  const run = 'axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }).then((r) => JSON.stringify(r.violations.map((v) => [v.id, v.nodes.map((n) => n.html.slice(0, 120) + " " + n.failureSummary)])))';
  const { result } = await client.send("Runtime.evaluate", { expression: run, awaitPromise: true });
  return JSON.parse(result.value);
}
