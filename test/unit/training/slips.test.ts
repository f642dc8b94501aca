import { describe, expect, it } from "vitest";
import { findingsOf } from "../../../src/training/checks/checks";
import { readConfigs } from "../../../src/training/ecosystems/ecosystems";
import type { ConfigFinding } from "../../../src/shared/configReading";
import { llama } from "./madeModules";
import { SAMPLE_CONFIGS, type SampleConfig } from "./sampleConfigs";

/** Sizes of the model that the samples' messages speak of. */
const MODEL = llama({ layers: 2, hidden: 128, intermediate: 384, keysAndValues: 64, vocabulary: 2048 });

const findings = ({ language, fileName }: SampleConfig, text: string): ConfigFinding[] => readConfigs(text, language, fileName).flatMap((config) => findingsOf(config, MODEL));

describe("a slip in a config", () => {
  it.each(SAMPLE_CONFIGS)("$ecosystem: is found, alone, and its fix writes what was right", (sample) => {
    expect(findings(sample, sample.text)).toEqual([]);
    const { slip } = sample;
    if (slip === null) return;
    const wrong = sample.text.replace(slip.right, slip.wrong);
    const found = findings(sample, wrong).filter(({ severity }) => severity === "error" || severity === "warning");
    expect(found.map(({ code }) => code)).toEqual([slip.code]);
    expect(found[0]?.message).toMatch(slip.message);
    if (slip.fix === null) return;
    const fix = found[0]?.fixes.find(({ title }) => title === slip.fix);
    const fixed = fix?.edits.reduce((text, { range, text: replacement }) => text.slice(0, range.start) + replacement + text.slice(range.end), wrong);
    expect(fixed).toBe(sample.text);
  });

  it.each(SAMPLE_CONFIGS.filter(({ language, slip }) => language !== "json" && slip !== null))("$ecosystem: is hidden by the comment that its last fix writes", (sample) => {
    const wrong = sample.text.replace(sample.slip!.right, sample.slip!.wrong);
    const [first] = findings(sample, wrong);
    const [edit] = first!.fixes.at(-1)!.edits;
    const hidden = wrong.slice(0, edit!.range.start) + edit!.text + wrong.slice(edit!.range.end);
    expect(findings(sample, hidden).map(({ code }) => code)).not.toContain(first!.code);
    expect(readConfigs(hidden, sample.language, sample.fileName)).toHaveLength(1);
  });
});
