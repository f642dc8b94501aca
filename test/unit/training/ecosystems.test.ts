import { describe, expect, it } from "vitest";
import { ECOSYSTEMS, readConfigs } from "../../../src/training/ecosystems/ecosystems";
import { SAMPLE_CONFIGS } from "./sampleConfigs";

/** Kinds whose file does not name the base model. */
const NAMELESS = ["nemo", "hydra"];

describe("the kinds of training config", () => {
  it("all have a sample", () => {
    expect(SAMPLE_CONFIGS.map(({ ecosystem }) => ecosystem).sort()).toEqual(ECOSYSTEMS.map(({ id }) => id).sort());
  });

  it.each(SAMPLE_CONFIGS)("$ecosystem is recognised, and as nothing else, with its base model, rank, α and targets", ({ ecosystem, text, language, fileName, rank, alpha }) => {
    const configs = readConfigs(text, language, fileName);
    expect(configs.map((config) => config.ecosystem)).toEqual([ecosystem]);
    const [config] = configs;
    expect(config?.base?.name.value ?? null).toBe(NAMELESS.includes(ecosystem) ? null : "BASE");
    const ranked = config?.optimizer.projected?.rank ?? config?.rank;
    expect(ranked?.value).toBe(rank);
    expect(text.slice(ranked?.node?.range.start, ranked?.node?.range.end)).toBe(String(rank));
    expect(config?.alpha.value ?? null).toBe(alpha);
    expect(config?.document.whole).toBe(true);
  });

  it.each(SAMPLE_CONFIGS)("$ecosystem stays silent on every prefix of its text", ({ text, language, fileName }) => {
    for (let end = 0; end < text.length; end += 7) expect(() => readConfigs(text.slice(0, end), language, fileName)).not.toThrow();
  });

  it.each([
    ["yaml", "docker-compose.yaml", "services:\n  db:\n    image: postgres\n    adapter: overlay\n"],
    ["yaml", "model.yaml", "model: yolov8n.yaml\nepochs: 10\n"],
    ["yaml", "values.yaml", "base_model: car\nadapter: usb\n"],
    ["json", "package.json", "{\"name\": \"lora\", \"version\": \"1.0.0\"}\n"],
    ["toml", "pyproject.toml", "[project]\nname = \"peft\"\n"],
    ["python", "net.py", "from mylib import LoraConfig\nLoraConfig(r=8)\n"],
  ] as const)("are no other %s file: %s", (language, fileName, text) => {
    expect(readConfigs(text, language, fileName)).toEqual([]);
  });
});
