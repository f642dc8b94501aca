import { describe, expect, it } from "vitest";
import { readText } from "./support/manifest";
import { translatedSentences } from "./support/sentences";

describe("the words of package.json", () => {
  const used = new Set([...readText("package.json").matchAll(/"%([^%"]+)%"/g)].map(([, key]) => key));
  const words = JSON.parse(readText("package.nls.json")) as Record<string, string>;

  it("all stand in package.nls.json, and nothing else does", () => {
    expect([...used].sort()).toEqual(Object.keys(words).sort());
  });
  it("are never empty", () => {
    for (const [key, text] of Object.entries(words)) expect(text.trim(), key).not.toBe("");
  });
});

describe("the sentences of the extension", () => {
  const sentences = translatedSentences();
  const bundle = JSON.parse(readText("l10n/bundle.l10n.json")) as Record<string, string>;

  it("all stand in the bundle that translators start from, and nothing else does", () => {
    expect([...new Set(sentences.map(({ text }) => text))].sort()).toEqual(Object.keys(bundle).sort());
  });
  it("are the same on both sides of the bundle", () => {
    for (const [key, text] of Object.entries(bundle)) expect(text).toBe(key);
  });
  it("have a value for each place, and a place for each value", () => {
    for (const { text, values, file } of sentences) {
      const places = new Set([...text.matchAll(/\{(\d+)\}/g)].map(([, index]) => Number(index)));
      expect([...places].sort(), `${file}: ${text}`).toEqual([...Array(values).keys()]);
    }
  });
});
