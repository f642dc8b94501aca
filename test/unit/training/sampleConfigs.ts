import type { ConfigText } from "../../../src/shared/configReading";
import type { EcosystemId } from "../../../src/training/config";

/** A config of one kind, as its project's users write it; `BASE` stands for the base model. */
export interface SampleConfig {
  readonly ecosystem: EcosystemId;
  readonly fileName: string;
  readonly language: ConfigText["language"];
  readonly text: string;
  readonly rank: number;
  readonly alpha: number | null;
  /** A slip that a check finds; null where the file alone shows none. */
  readonly slip: Slip | null;
}

/** What is written wrong, what is found, and the fix that writes it right again. */
export interface Slip {
  readonly right: string;
  readonly wrong: string;
  readonly code: string;
  readonly message: RegExp;
  /** Null where only a person knows what is right: the finding can then be hidden. */
  readonly fix: string | null;
}

const misspelt: Slip = { right: "q_proj", wrong: "q_prj", code: "target-unmatched", message: /q_prj matches no module.*Did you mean q_proj \(2 modules of 128 × 128\)/s, fix: "Change to q_proj" };
const misspeltWildcard: Slip = { ...misspelt, message: /\*\.q_prj matches no module/, fix: null };
const misspeltPath: Slip = { ...misspelt, right: "self_attn.q_proj", wrong: "self_attn.q_prj", message: /self_attn\.q_prj matches no module.*Did you mean self_attn\.q_proj/s, fix: "Change to self_attn.q_proj" };
const misspeltOnly: Slip = { ...misspelt, code: "no-target-matches", message: /q_prj matches none/ };
const misspeltProjection: Slip = { ...misspelt, code: "projection-not-linear", message: /No module has q_prj in its name/, fix: null };
/** The narrowest matrix that these adapt has 64 rows. */
const tooHigh = (rank: string): Slip => ({ right: rank.replace("4096", "64"), wrong: rank, code: "rank-above-dimensions", message: /Rank 4096 is above 64/, fix: "Set the rank to 64" });

const lines = (...all: readonly string[]): string => `${all.join("\n")}\n`;

/** One for each kind, on a model of the Llama family with layers 0 and 1. Their names of modules are right. */
export const SAMPLE_CONFIGS: readonly SampleConfig[] = [
  {
    ecosystem: "peft-json", fileName: "adapter_config.json", language: "json", rank: 8, alpha: 16,
    slip: misspelt,
    text: `{\n  "peft_type": "LORA",\n  "base_model_name_or_path": "BASE",\n  "r": 8,\n  "lora_alpha": 16,\n  "lora_dropout": 0.0,\n  "target_modules": ["q_proj", "v_proj"],\n  "task_type": "CAUSAL_LM"\n}\n`,
  },
  {
    ecosystem: "axolotl", fileName: "axolotl.yaml", language: "yaml", rank: 16, alpha: 32,
    slip: misspelt,
    text: lines("base_model: BASE", "datasets:", "  - path: data.jsonl", "    type: alpaca", "sequence_len: 2048", "adapter: lora", "lora_r: 16", "lora_alpha: 32", "lora_target_modules:", "  - q_proj", "  - v_proj", "micro_batch_size: 2"),
  },
  {
    ecosystem: "llama-factory", fileName: "llama_factory.yaml", language: "yaml", rank: 8, alpha: 16,
    slip: misspelt,
    text: lines("model_name_or_path: BASE", "stage: sft", "do_train: true", "finetuning_type: lora", "lora_rank: 8", "lora_target: q_proj,v_proj", "dataset: identity", "cutoff_len: 2048"),
  },
  {
    ecosystem: "llama-factory-v1", fileName: "llama_factory_v1.yaml", language: "yaml", rank: 8, alpha: 16,
    slip: misspelt,
    text: lines("model: BASE", "model_class: llm", "peft_config:", "  name: lora", "  r: 8", "  lora_alpha: 16", "  target_modules: [q_proj, v_proj]"),
  },
  {
    ecosystem: "torchtune", fileName: "torchtune.yaml", language: "yaml", rank: 64, alpha: 16,
    slip: tooHigh("lora_rank: 4096"),
    text: lines("model:", "  _component_: torchtune.models.llama2.lora_llama2_7b", "  lora_attn_modules: ['q_proj', 'v_proj']", "  apply_lora_to_mlp: False", "  lora_rank: 64", "  lora_alpha: 16", "checkpointer:", "  _component_: torchtune.training.FullModelHFCheckpointer", "  checkpoint_dir: BASE"),
  },
  {
    ecosystem: "trl", fileName: "trl.yaml", language: "yaml", rank: 16, alpha: 32,
    slip: misspelt,
    text: lines("model_name_or_path: BASE", "dataset_name: trl-lib/Capybara", "use_peft: true", "lora_r: 16", "lora_alpha: 32", "lora_target_modules: [q_proj, v_proj]", "learning_rate: 2.0e-4"),
  },
  {
    ecosystem: "transformers", fileName: "galore.py", language: "python", rank: 64, alpha: null,
    slip: misspeltProjection,
    text: lines("from transformers import AutoModelForCausalLM, TrainingArguments", "", "model = AutoModelForCausalLM.from_pretrained(\"BASE\")", "args = TrainingArguments(", "    output_dir=\"out\",", "    optim=\"galore_adamw\",", "    optim_args=\"rank=64, update_proj_gap=100\",", "    optim_target_modules=[\"q_proj\", \"v_proj\"],", ")"),
  },
  {
    ecosystem: "peft-python", fileName: "peft_lora.py", language: "python", rank: 8, alpha: 16,
    slip: misspelt,
    text: lines("from peft import LoraConfig, get_peft_model", "from transformers import AutoModelForCausalLM", "", "model = AutoModelForCausalLM.from_pretrained(\"BASE\")", "config = LoraConfig(", "    r=8,", "    lora_alpha=16,", "    target_modules=[\"q_proj\", \"v_proj\"],", ")", "model = get_peft_model(model, config)"),
  },
  {
    ecosystem: "unsloth", fileName: "unsloth_lora.py", language: "python", rank: 16, alpha: 16,
    slip: misspelt,
    text: lines("from unsloth import FastLanguageModel", "", "model, tokenizer = FastLanguageModel.from_pretrained(model_name=\"BASE\", load_in_4bit=False)", "model = FastLanguageModel.get_peft_model(", "    model,", "    r=16,", "    lora_alpha=16,", "    target_modules=[\"q_proj\", \"v_proj\"],", ")"),
  },
  {
    ecosystem: "sd-scripts", fileName: "sd_scripts.toml", language: "toml", rank: 16, alpha: 8,
    slip: { right: "conv_dim=8", wrong: "block_dims=4,8", code: "block-ranks-length", message: /block_dims has 2 numbers and needs 25/, fix: null },
    text: lines("pretrained_model_name_or_path = \"BASE\"", "output_dir = \"out\"", "", "[network]", "network_module = \"networks.lora\"", "network_dim = 16", "network_alpha = 8", "network_args = [\"conv_dim=8\", \"conv_alpha=1\"]"),
  },
  {
    ecosystem: "lycoris", fileName: "lycoris.toml", language: "toml", rank: 16, alpha: 8,
    slip: null,
    text: lines("pretrained_model_name_or_path = \"BASE\"", "network_module = \"lycoris.kohya\"", "network_dim = 16", "network_alpha = 8", "network_args = [\"algo=locon\", \"conv_dim=8\"]"),
  },
  {
    ecosystem: "ai-toolkit", fileName: "ai_toolkit.yaml", language: "yaml", rank: 16, alpha: 16,
    slip: misspeltOnly,
    text: lines("job: extension", "config:", "  name: my_first_lora", "  process:", "    - type: sd_trainer", "      network:", "        type: lora", "        linear: 16", "        linear_alpha: 16", "        network_kwargs:", "          only_if_contains:", "            - q_proj", "      model:", "        name_or_path: BASE"),
  },
  {
    ecosystem: "nemo", fileName: "nemo.yaml", language: "yaml", rank: 64, alpha: 32,
    slip: tooHigh("dim: 4096"),
    text: lines("peft:", "  _target_: nemo.collections.llm.peft.LoRA", "  dim: 64", "  alpha: 32", "  target_modules:", "    - linear_qkv", "    - linear_proj"),
  },
  {
    ecosystem: "nemo-automodel", fileName: "automodel.yaml", language: "yaml", rank: 8, alpha: 32,
    slip: misspeltWildcard,
    text: lines("recipe: TrainFinetuneRecipeForNextTokenPrediction", "model:", "  _target_: nemo_automodel.NeMoAutoModelForCausalLM.from_pretrained", "  pretrained_model_name_or_path: BASE", "peft:", "  _target_: nemo_automodel.components._peft.lora.PeftConfig", "  target_modules: [\"*.q_proj\", \"*.v_proj\"]", "  dim: 8", "  alpha: 32"),
  },
  {
    ecosystem: "ms-swift", fileName: "swift.yaml", language: "yaml", rank: 8, alpha: 32,
    slip: misspelt,
    text: lines("model: BASE", "tuner_type: lora", "dataset: swift/self-cognition", "lora_rank: 8", "lora_alpha: 32", "target_modules:", "  - q_proj", "  - v_proj"),
  },
  {
    ecosystem: "mlx-lm", fileName: "mlx.yaml", language: "yaml", rank: 8, alpha: 20,
    slip: misspeltPath,
    text: lines("model: BASE", "train: true", "fine_tune_type: lora", "num_layers: 16", "lora_parameters:", "  keys: [\"self_attn.q_proj\", \"self_attn.v_proj\"]", "  rank: 8", "  scale: 20.0", "  dropout: 0.0"),
  },
  {
    ecosystem: "ludwig", fileName: "ludwig.yaml", language: "yaml", rank: 16, alpha: 32,
    slip: misspelt,
    text: lines("model_type: llm", "base_model: BASE", "adapter:", "  type: lora", "  r: 16", "  target_modules: [q_proj, v_proj]", "trainer:", "  type: finetune", "  learning_rate: 0.0001"),
  },
  {
    ecosystem: "litgpt", fileName: "litgpt.yaml", language: "yaml", rank: 64, alpha: 16,
    slip: tooHigh("lora_r: 4096"),
    text: lines("checkpoint_dir: BASE", "precision: bf16-true", "lora_r: 64", "lora_alpha: 16", "lora_query: true", "lora_key: false", "lora_value: true", "train:", "  max_seq_length: 512"),
  },
  {
    ecosystem: "hydra", fileName: "hydra.yaml", language: "yaml", rank: 8, alpha: 16,
    slip: misspelt,
    text: lines("model:", "  path: ${oc.env:MODEL}", "peft:", "  _target_: peft.LoraConfig", "  r: 8", "  lora_alpha: 16", "  target_modules: [q_proj, v_proj]"),
  },
];
