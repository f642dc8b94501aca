import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ConfigPlan } from "../../src/shared/plannerPage";
import { noise, temporaryFolder, writeModel } from "./support/modelFiles";
import { buildPrograms, type Programs } from "./support/programs";

/** A config and its base model of two layers of 12 × 8, in the terminal. */
let programs: Programs;
const folder = temporaryFolder();
beforeAll(async () => {
  programs = await buildPrograms();
  mkdirSync(join(folder.path, "base"));
  writeModel(join(folder.path, "base"), "model.safetensors", { "layers.0.q_proj.weight": noise(1, 12, 8), "layers.1.q_proj.weight": noise(2, 12, 8) });
  writeFileSync(join(folder.path, "adapter_config.json"), JSON.stringify({ peft_type: "LORA", base_model_name_or_path: "base", r: 4, target_modules: ["q_proj"] }));
});
afterAll(() => {
  programs.remove();
  folder.remove();
});

function check(...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [programs.cli, "check", ...args], { encoding: "utf8", cwd: folder.path, env: { ...process.env, NO_COLOR: "1" } });
  return { code: status, out: stdout, err: stderr };
}

describe("ranklens check --plan", () => {
  it("writes a table of all methods to standard output and nothing else", () => {
    const { code, out, err } = check("adapter_config.json", "--plan");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/^adapter_config\.json .* on base, 192 parameters\n2 modules \(the config's targets\), rank 4;/);
    expect(out).toMatch(/▸ LoRA +160 /);
  });

  it("writes JSON for other programs", () => {
    const { plans } = JSON.parse(check("adapter_config.json", "--plan", "--json").out) as { plans: ConfigPlan[] };
    expect(plans).toHaveLength(1);
    expect(plans[0]?.rows.find(({ id }) => id === "vera")?.trainable).toBe(2 * (4 + 12));
  });

  it("says in one line that there is no base model to plan for", () => {
    writeFileSync(join(folder.path, "adapter_config.json"), JSON.stringify({ peft_type: "LORA", base_model_name_or_path: "./gone", r: 4, target_modules: ["q_proj"] }));
    const { code, out, err } = check("adapter_config.json", "--plan");
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toMatch(/^ranklens: adapter_config\.json: The base model \.\/gone is not on this machine\. .+\n$/);
  });

  it("plans for the configs that have a base model, and names those that have none", () => {
    const config = { peft_type: "LORA", r: 4, target_modules: ["q_proj"] };
    writeFileSync(join(folder.path, "adapter_config.json"), JSON.stringify({ ...config, base_model_name_or_path: "base" }));
    mkdirSync(join(folder.path, "other"), { recursive: true });
    writeFileSync(join(folder.path, "other", "adapter_config.json"), JSON.stringify(config));
    const { code, out, err } = check("other/adapter_config.json", "adapter_config.json", "--plan");
    expect(code).toBe(0);
    expect(out).toMatch(/^adapter_config\.json .* on base/);
    expect(err).toMatch(/^ranklens: other\/adapter_config\.json: The config names no base model\. .*--base names a base model\.\n$/);
  });
});

describe("ranklens check", () => {
  it.each([
    ["tab.yaml", "adapter: lora\nlora_target_modules:\n\t- q_proj\n", "3:1: error: It does not parse as YAML (Tabs are not allowed as indentation)"],
    ["cut.json", "{\n  \"peft_type\": \"LORA\",", "2:23: error: It does not parse as JSON"],
    ["cut.toml", "network_dim = [1,\nx", "2:1: error: It does not parse as TOML"],
    ["cut.py", "from peft import LoraConfig\nconfig = LoraConfig(r=8, lora_alpha=16, target_modules=[\"q_proj\"\n", "2:20: error: It does not parse as Python"],
  ])("does not call a file right that does not parse: %s", (name, text, place) => {
    writeFileSync(join(folder.path, name), text);
    const { code, out } = check(name);
    expect(code).toBe(3);
    expect(out).toContain(`${name}:${place}`);
  });

  it("says of a file that is too large for a config that it is", () => {
    writeFileSync(join(folder.path, "large.yaml"), `adapter: lora\n${"# data\n".repeat(100_000)}`);
    expect(check("large.yaml")).toMatchObject({ code: 1, err: expect.stringMatching(/large\.yaml is too large for a training config: more than 400,000 characters/) as string });
  });

  it("ends with 1 and the reason where the base that is named for it cannot be read", () => {
    const config = { peft_type: "LORA", base_model_name_or_path: "base", r: 4, target_modules: ["q_proj"] };
    writeFileSync(join(folder.path, "adapter_config.json"), JSON.stringify(config));
    writeFileSync(join(folder.path, "damaged.safetensors"), "not a model at all");
    mkdirSync(join(folder.path, "empty"), { recursive: true });
    mkdirSync(join(folder.path, "part"), { recursive: true });
    writeFileSync(join(folder.path, "part", "model.safetensors.index.json"), JSON.stringify({ weight_map: { "a.weight": "model-00001-of-00001.safetensors" } }));
    expect(check("adapter_config.json", "--base", "base").code).toBe(0);
    for (const base of ["gone", "damaged.safetensors", "empty", "part"]) {
      const { code, out, err } = check("adapter_config.json", "--base", base);
      expect({ base, code, out }).toEqual({ base, code: 1, out: "" });
      expect(err).toMatch(new RegExp(`^ranklens: .*${base}.+\\.\n$`));
    }
  });
});
