// The wire between a client and the relay, which can be cut. TLS passes through.
import { connect, createServer } from "node:net";

/** A TCP proxy before the relay at `target`; `cut()` resets every open connection at both ends. */
export async function wire(t, target) {
  const open = new Set();
  const { hostname, port, protocol } = new URL(target);
  const server = createServer((client) => {
    const relay = connect(port, hostname);
    for (const [from, to] of [[client, relay], [relay, client]]) {
      open.add(from);
      from.on("error", () => to.destroy()).on("close", () => open.delete(from));
      from.pipe(to);
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cut = () => open.forEach((socket) => socket.resetAndDestroy());
  t.after(() => {
    cut();
    server.close();
  });
  return { url: `${protocol}//127.0.0.1:${server.address().port}`, cut };
}
