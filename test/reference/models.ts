import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "vitest";

/** Trained models of public projects, which lie beside the repository and are no part of it. */
export const MODELS = join(import.meta.dirname, "../../../shared/models");

/** Paths below MODELS of files whose name matches, in order; none where the models are not at hand. */
export function modelFiles(name: RegExp): string[] {
  if (!existsSync(MODELS)) return [];
  return readdirSync(MODELS, { recursive: true, encoding: "utf8" }).filter((path) => name.test(path)).sort();
}

/** Tests on real models. Without them there is one test instead, which says so, and fails in CI. */
export function describeWithModels(title: string, files: readonly string[], body: () => void): void {
  if (files.length > 0) {
    describe(title, body);
    return;
  }
  it(`${title}: needs the real models in ${MODELS}`, () => {
    if (process.env["CI"] !== undefined) throw new Error("In CI the real models must be at hand.");
    console.warn(`Not tested: ${title}. There are no models in ${MODELS}.`);
  });
}
