import { defineConfig } from "vite";

// Everything the page needs comes from its own origin as files of their own: the Content-Security-Policy allows nothing inline.
export default defineConfig({
  base: "/",
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // `dist/.gitignore` stays, so that the folder is there for Cargo to watch; scripts/web empties the rest.
    emptyOutDir: false,
    chunkSizeWarningLimit: 700,
    // On a busy machine everything is slow; that is no news.
    rolldownOptions: { checks: { pluginTimings: false } },
    // Served with the page: the terms of what it is made of.
    license: { fileName: "assets/licenses.md" },
  },
  worker: { format: "es" },
  server: {
    // `npm run dev` beside a relay on its usual port.
    proxy: Object.fromEntries(
      ["/v1", "/voice", "/api", "/health"].map((path) => [
        path,
        { target: process.env["RELAY_URL"] ?? "http://127.0.0.1:8080", ws: true, changeOrigin: true },
      ]),
    ),
  },
});
