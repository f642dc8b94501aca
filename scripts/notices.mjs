// The licences of what the bundles hold, gathered from what esbuild put into them.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Data that is not a package: where it comes from, and its licence. */
const DATA = [
  {
    name: "ggml (grids of the IQ types, in src/models/gguf)",
    text: "MIT License. Copyright (c) 2023-2024 The ggml authors.\n\nPermission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the \"Software\"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:\n\nThe above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.\n\nTHE SOFTWARE IS PROVIDED \"AS IS\", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.",
  },
];
const PACKAGE = /^(.*node_modules\/((?:@[^/]+\/)?[^/]+))\//;

/** @param metafiles of esbuild, whose inputs are relative to `root` */
export function notices(root, metafiles) {
  const folders = new Map();
  for (const { inputs } of metafiles) {
    for (const input of Object.keys(inputs)) {
      const [, folder, name] = PACKAGE.exec(input) ?? [];
      if (folder !== undefined) folders.set(name, join(root, folder));
    }
  }
  const packages = [...folders].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, folder]) => ({ name, text: licenceOf(folder) }));
  return [...packages, ...DATA].map(({ name, text }) => `${name}\n${"-".repeat(name.length)}\n${text.trim()}\n`).join("\n\n");
}

function licenceOf(folder) {
  const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
  if (file !== undefined) return readFileSync(join(folder, file), "utf8");
  const manifest = join(folder, "package.json");
  const { license, author } = existsSync(manifest) ? JSON.parse(readFileSync(manifest, "utf8")) : {};
  if (typeof license !== "string") throw new Error(`${folder} has no licence that could be told.`);
  return `${license}. ${typeof author === "string" ? author : (author?.name ?? "")}`;
}
