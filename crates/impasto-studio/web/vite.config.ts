import { defineConfig } from "vite";

// The server that `npm run dev` sends API requests to.
const SERVER = "http://127.0.0.1:4747";

export default defineConfig({
  server: { proxy: { "/api": SERVER, "/healthz": SERVER } },
  build: {
    target: "es2022",
    // The policy of the server allows scripts and styles from files only, so nothing is inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: ["index.html", "docs.html"] },
  },
});
