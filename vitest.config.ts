import { defineConfig } from "vitest/config";

/** The recipes' Python modules as text, as scripts/build.mjs bundles them. */
const pythonAsText = {
  name: "python-as-text",
  transform: (code: string, id: string) => (id.endsWith(".py") ? { code: `export default ${JSON.stringify(code)};`, map: null } : undefined),
};

/** One project for each layer of tests; scripts/test.mjs runs them all. */
const layer = (name: string, include: string[], testTimeout = 20_000) => ({
  plugins: [pythonAsText],
  test: { name, include, testTimeout, globalSetup: "test/kernelsSetup.mjs", hookTimeout: Math.max(60_000, testTimeout) },
});

export default defineConfig({
  test: {
    projects: [
      layer("unit", ["test/unit/**/*.test.ts"]),
      layer("engine", ["test/engine/**/*.test.ts"], 60_000),
      layer("reference", ["test/reference/**/*.test.ts"], 180_000),
      layer("webview", ["test/webview/**/*.test.ts"], 60_000),
      layer("editor", ["test/editor/**/*.test.ts"], 240_000),
    ],
    maxWorkers: 2,
  },
});
