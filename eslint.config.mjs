import tseslint from "typescript-eslint";

/**
 * Dependencies point one way (ARCHITECTURE.md): vscode/ and webview/ → engine/ →
 * domain → models, linalg → shared. Nothing below src/vscode knows `vscode`, nothing but webview/ the DOM.
 */
const forbid = (...groups) => ({
  "no-restricted-imports": ["error", { patterns: groups.map(([group, message]) => ({ group, message })) }],
});
const VSCODE = [["vscode"], "Only src/vscode and src/extension.ts import vscode."];
const up = (...folders) => [folders.flatMap((f) => [`**/${f}/*`, `**/${f}`]), "Dependencies point from the shell down to the domain, never up."];
const DOM = ["window", "document", "HTMLElement", "customElements", "acquireVsCodeApi", "localStorage"];

export default tseslint.config(
  // AssemblyScript, which is not TypeScript to the letter: its own compiler checks it.
  { ignores: ["src/linalg/fast/wasm/**"] },
  { ignores: [".wasm/**", "dist/**", "node_modules/**", ".vscode-web/**", ".vscode-test/**", "test-results/**"] },
  ...tseslint.configs.strict,
  {
    files: ["**/*.ts", "**/*.tsx"],
    rules: {
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports", prefer: "type-imports" }],
      "@typescript-eslint/no-non-null-assertion": "off",
      "no-restricted-exports": ["error", { restrictDefaultExports: { direct: true, named: true, defaultFrom: true, namedFrom: true, namespaceFrom: true } }],
      "max-lines": ["error", { max: 350, skipBlankLines: true, skipComments: true }],
    },
  },
  { files: ["src/**/*.ts"], rules: { "no-restricted-globals": ["error", ...DOM] } },
  { files: ["src/shared/**"], rules: forbid(VSCODE, up("vscode", "engine", "rank", "models", "linalg", "webview"), [["node:*"], "shared/ runs in pages too."]) },
  { files: ["src/linalg/**"], rules: forbid(VSCODE, up("vscode", "engine", "rank", "models", "calibrate", "webview")) },
  { files: ["src/models/**"], rules: forbid(VSCODE, up("vscode", "engine", "rank", "calibrate", "webview")) },
  { files: ["src/rank/**"], rules: forbid(VSCODE, up("vscode", "engine", "webview")) },
  { files: ["src/calibrate/**"], rules: forbid(VSCODE, up("vscode", "engine", "rank", "models", "factorize", "verify", "training", "webview")) },
  { files: ["src/compare/**"], rules: forbid(VSCODE, up("vscode", "engine", "factorize", "verify", "training", "webview")) },
  { files: ["src/factorize/**", "src/verify/**"], rules: forbid(VSCODE, up("vscode", "engine", "webview")) },
  { files: ["src/training/**"], rules: forbid(VSCODE, up("vscode", "engine", "rank", "linalg", "factorize", "verify", "webview")) },
  { files: ["src/engine/**", "src/cli.ts", "src/cli/**"], rules: forbid(VSCODE, up("vscode", "webview")) },
  { files: ["webview/**"], rules: forbid(VSCODE, up("vscode", "engine", "rank", "models", "linalg"), [["node:*"], "Pages have no Node."]) },
  { files: ["vitest.config.ts"], rules: { "no-restricted-exports": "off" } },
);
