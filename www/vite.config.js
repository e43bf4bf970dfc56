import { defineConfig } from "vite";

// Where `cargo xtask start` has them. The host stays the page's own: both refuse other origins.
const sandbox = { target: process.env.SANDBOX_URL ?? "http://127.0.0.1:4802", changeOrigin: false };
const handler = { target: process.env.HANDLER_URL ?? "http://127.0.0.1:4800", changeOrigin: false };

export default defineConfig({
  build: {
    // The page's CSP allows data: for images only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    // The package is linked, so its files lie outside this folder.
    fs: { allow: [".", "../pkg"] },
    proxy: { "/authvital": sandbox, "/rest": sandbox, "/sandbox": sandbox, "/clerk": handler, "/ksef": handler },
  },
});
