// Rows of tools that look at the packed package without running it.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { modules, run } from "./support.mjs";

export const staticRows = [
  {
    name: "publint",
    cells: {
      async output({ tarball, manifest }) {
        const { messages } = await publint({ pack: { tarball: (await readFile(tarball)).buffer }, strict: true });
        assert.deepEqual(messages.map((message) => formatMessage(message, manifest, { color: false })), []);
      },
    },
  },
  {
    name: "attw",
    // The profile is `esm-only`, since the package is; it is set here, and nowhere else. `require()` gets the same modules, from Node 20.19 on: the row "node require" does it.
    cells: { output: ({ tarball }) => run(60, process.execPath, [modules("@arethetypeswrong/cli/dist/index.js"), tarball, "--profile", "esm-only"]) },
  },
];
