import type { EcosystemId, Setting, SettingKeys, TrainingConfig } from "../config";
import { stringAt, type ConfigDocument, type LocatedEntry, type LocatedMapping } from "../documents/located";
import { type Ecosystem } from "./ecosystem";
import { argumentSettings, asNumber, asNumbers } from "./optimizer";
import { ABSENT, booleanSetting, firstOf, has, numberSetting, stringSetting } from "./settings";
import { baseUnder, NO_OPTIMIZER, trainingConfig } from "./trainingConfig";

const KEYS: SettingKeys = { rank: "network_dim", alpha: "network_alpha", dropout: "network_dropout" };
const LYCORIS_MODULE = "lycoris.kohya";
/** Networks of sd-scripts that know blocks of a U-Net; FLUX, SD3, Lumina and others have networks of their own. */
const UNET_NETWORKS = new Set(["networks.lora", "networks.dylora", "networks.lora_fa"]);

export const sdScripts: Ecosystem = {
  id: "sd-scripts",
  label: "sd-scripts",
  languages: ["toml"],
  hint: /network_module/,
  configs: (document) => read("sd-scripts", document, (module) => module !== LYCORIS_MODULE),
};

export const lycoris: Ecosystem = {
  id: "lycoris",
  label: "LyCORIS",
  languages: ["toml"],
  hint: /lycoris\.kohya/,
  configs: (document) => read("lycoris", document, (module) => module === LYCORIS_MODULE),
};

function read(ecosystem: EcosystemId, document: ConfigDocument, isOwn: (module: string) => boolean): TrainingConfig[] {
  const section = document.root === null ? null : flattened(document.root);
  const module = section === null ? null : stringAt(section, "network_module");
  if (section === null || module === null || !isOwn(module) || !has(section, "pretrained_model_name_or_path")) return [];
  const of = argumentSettings(document, section, "network_args");
  const algorithm = of("algo").value;
  const isUnet = UNET_NETWORKS.has(module);
  return [trainingConfig(ecosystem, document, section, KEYS, {
    method: ecosystem === "lycoris" && algorithm !== null && algorithm !== "locon" ? algorithm : "lora",
    base: baseUnder(section, "pretrained_model_name_or_path"),
    rank: numberSetting(section, "network_dim", 4),
    alpha: numberSetting(section, "network_alpha", 1),
    dropout: numberSetting(section, "network_dropout", 0),
    targets: { form: "classes", node: null, entry: null },
    useRslora: flag(of("rs_lora")), useDora: flag(of("dora_wd")),
    convolution: {
      architecture: isUnet ? architectureOf(section) : null,
      rank: asNumber(of("conv_dim")), alpha: asNumber(of("conv_alpha")),
      blockRanks: isUnet ? asNumbers(of("block_dims")) : ABSENT, blockAlphas: isUnet ? asNumbers(of("block_alphas")) : ABSENT,
    },
    optimizer: {
      ...NO_OPTIMIZER, name: stringSetting(section, "optimizer_type"), learningRate: firstOf(["unet_lr", "learning_rate"], section, numberSetting),
      loraPlusRatio: asNumber(of("loraplus_lr_ratio")), gradientAccumulation: numberSetting(section, "gradient_accumulation_steps", 1),
    },
  })];
}

function flag(of: Setting<string>): Setting<boolean> {
  if (of.node === null) return { value: false, node: null, entry: null };
  return { ...of, value: of.value === null ? null : /^true$/i.test(of.value) };
}

/** sd-scripts does not look at section headers: all keys are read as if they stood at the top. */
function flattened(root: LocatedMapping): LocatedMapping {
  const entries: LocatedEntry[] = root.entries.flatMap((entry) => (entry.value.kind === "mapping" && entry.value.style === "block" ? [...entry.value.entries] : [entry]));
  const home = root.entries.find(({ value }) => value.kind === "mapping" && has(value, "network_module"))?.value;
  return { ...(home?.kind === "mapping" ? home : root), entries };
}

/** The script that is called decides; `v2` and names of published models are what the file tells. */
function architectureOf(section: LocatedMapping): "sd" | "sdxl" | null {
  if (booleanSetting(section, "v2").value === true) return "sd";
  const name = stringAt(section, "pretrained_model_name_or_path") ?? "";
  if (/sd_?xl|stable-diffusion-xl|pony|illustrious|animagine|noob/i.test(name)) return "sdxl";
  return /stable-diffusion-(?:v1|v2|2)|sd-?v?1|v1-5/i.test(name) ? "sd" : null;
}
