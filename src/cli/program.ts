import { Command, CommanderError, Help, InvalidArgumentError, Option } from "commander";
import { version } from "../../package.json";
import { Fault } from "../shared/fault";
import { DEFAULT_OPEN_OPTIONS } from "../models/model";
import { printable } from "../engine/printable";
import { EXIT } from "./exitCodes";
import { analyzeCommand, type AnalyzeFlags } from "./analyzeCommand";
import { checkCommand, type CheckFlags } from "./checkCommand";
import { compareCommand, type CompareFlags } from "./compareCommand";
import { factorizeCommand } from "./factorizeCommand";
import { SENSITIVITY, type FactorizeFlags } from "./factorizeFlags";
import { verifyCommand, type VerifyFlags } from "./verifyCommand";
import { ALLOCATIONS } from "../factorize/propose";
import { SCHEME_WISHES } from "../factorize/scheme";
import { OUTPUTS } from "../factorize/source";

const FIRST_EXAMPLES = `
Examples:
  ranklens analyze model.onnx
  ranklens factorize model.onnx --out small.onnx --budget params:0.6 --verify
  ranklens verify model.onnx small.onnx --data inputs.npz
  ranklens compare base.safetensors finetuned.safetensors
  ranklens check train.yaml

ranklens help COMMAND tells more of each. Results go to standard output, progress to standard error.
Exit status: 0 done, 1 the input is at fault, 2 wrong usage, 3 findings of check, 130 interrupted.`;

const EXAMPLES = `
Examples:
  ranklens analyze model.safetensors
  ranklens analyze models/llama
  ranklens analyze model.onnx --json --spectrum --out report.json
  ranklens analyze model.safetensors.index.json --layers '*.self_attn.*' --csv > attention.csv

Results go to standard output, progress to standard error.
Exit status: 0 done, 1 the input is at fault, 2 wrong usage, 130 interrupted.
The results of finished layers are kept, so that a second run computes only what is missing.`;

/** @returns the exit code */
export async function runProgram(args: readonly string[]): Promise<number> {
  let code: number = EXIT.done;
  const program = build((result) => { code = result; });
  try {
    await program.parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    // Commander has said what is wrong; help and version that were asked for are no errors.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    process.stderr.write(`ranklens: ${errorLine(error)}\n`);
    return error instanceof Fault && error.code === "usage" ? EXIT.usage : EXIT.fault;
  }
}

function build(finish: (code: number) => void): Command {
  const program = new Command("ranklens")
    .description("Ranks of the layers of a model: how much of each is really used.")
    .version(version)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "ranklens: ")) })
    .configureHelp({ optionDescription: (option) => describedWithoutNothing(new Help().optionDescription(option)) })
    .showHelpAfterError("Run with --help to see what there is.")
    .addHelpText("after", FIRST_EXAMPLES);
  program
    .command("analyze")
    .description("measure the ranks of every layer of a model")
    .argument("<model>", "model file, index file of a sharded checkpoint, or folder that holds one model")
    .addOption(new Option("--json", "write the report as JSON").conflicts(["markdown", "csv"]))
    .addOption(new Option("--markdown", "write the report as Markdown").conflicts(["json", "csv"]))
    .addOption(new Option("--csv", "write one CSV line for each matrix").conflicts(["json", "markdown"]))
    .option("--out <file>", "write to a file, which appears only once it is complete (.json, .csv and .md say the format)")
    .option("--layers <glob>", "only layers whose name matches; can be given several times; * crosses . and /", collect, [])
    .option("--spectrum", "with all singular values (JSON)", false)
    .option("--estimate", "stop after first figures of large layers: norms and stable rank, with their error", false)
    .option("--parts", "a line for each part of a layer in the table (q, k, v; gates; experts)", false)
    .option("--threads <n>", "processes that compute at once (default: as many as there are cores)", positive)
    .option("--memory <megabytes>", "memory that these processes take together (default: a quarter of the machine's)", positive)
    .option("--no-cache", "neither read nor keep results")
    .option("--smallest <n>", "list tensors with fewer weights without measuring them", positive, DEFAULT_OPEN_OPTIONS.smallestTensor)
    .option("--allow-external-data", "read ONNX external data outside of the model's folder", false)
    .addHelpText("after", EXAMPLES)
    .action(async (model: string, flags: AnalyzeFlags) => finish(await analyzeCommand(model, flags)));
  addFactorize(program, finish);
  program
    .command("verify")
    .description("run two ONNX models side by side and compare outputs, latency, size and memory; of other formats, the output error of each layer")
    .argument("<original>", "the model as it was")
    .argument("<candidate>", "the model that should do the same")
    .option("--data <file>", "inputs of your own: .npz by input name, .npy, or ONNX test data (input_0.pb or its folder); seeded random inputs without it")
    .option("--json", "write the figures as JSON", false)
    .addHelpText("after", VERIFY_EXAMPLES)
    .action(async (original: string, candidate: string, flags: VerifyFlags) => finish(await verifyCommand(original, candidate, flags)));
  addCompare(program, finish);
  addCheck(program, finish);
  return program;
}

const VERIFY_EXAMPLES = `
Examples:
  ranklens verify model.onnx small.onnx
  ranklens verify model.onnx small.onnx --data inputs.npz --json
  ranklens verify models/llama models/llama-small

relative error      ‖y − ŷ‖ / ‖y‖ over all entries of an output
cosine              of the angle between both outputs
largest difference  of any entry
same top entry      share of samples whose largest score is the same, and the classes where that is least often so
latency             of one run of the first batch, in turn, on this machine
peak memory         of a process that loads the model and runs it once, above what it took before
Random inputs tell that a model runs, and how fast; how good it is, only data of its own kind tells.`;

const COMPARE_EXAMPLES = `
Examples:
  ranklens compare base.safetensors finetuned.safetensors
  ranklens compare models/llama models/llama-finetuned --json > difference.json
  ranklens compare models/llama adapter/adapter_model.safetensors

Layers are compared by the names of their tensors. Of the difference of each, or of what an adapter adds: its size and ranks.
A rank at 90 % is the smallest that keeps 90 % of the energy, the sum of squared singular values.`;

function addCompare(program: Command, finish: (code: number) => void): void {
  program
    .command("compare")
    .description("measure the difference of two models, layer by layer: its size and its ranks")
    .argument("<base>", "the model before (A)")
    .argument("<other>", "the fine-tuned model, or an adapter (B)")
    .option("--json", "write the comparison as JSON", false)
    .option("--threads <n>", "threads that compute (default: as many as there are cores)", positive)
    .option("--allow-external-data", "read ONNX external data outside of the model's folder", false)
    .addHelpText("after", COMPARE_EXAMPLES)
    .action(async (base: string, other: string, flags: CompareFlags) => finish(await compareCommand(base, other, flags)));
}

const CHECK_EXAMPLES = `
Examples:
  ranklens check train.yaml
  ranklens check configs/*.yaml finetune.py --json
  ranklens check adapter_config.json --base ~/models/Llama-3.1-8B
  ranklens check train.yaml --plan

Base models are looked for where the config says and in the Hugging Face cache; only their headers are read, nothing is downloaded.
Exit status: 0 nothing to correct (always with --plan), 3 errors or warnings, 1 a file cannot be read.`;

function addCheck(program: Command, finish: (code: number) => void): void {
  program
    .command("check")
    .description("check training configs against their base model")
    .argument("<config...>", "YAML, JSON, TOML or Python files")
    .option("--base <model>", "the base model's file or folder, instead of the one that the configs name")
    .option("--plan", "show what every method would train, save and keep in the optimizer", false)
    .option("--json", "write findings, or plans, as JSON", false)
    .addHelpText("after", CHECK_EXAMPLES)
    .action(async (configs: string[], flags: CheckFlags) => finish(await checkCommand(configs, flags)));
}

const FACTORIZE_EXAMPLES = `
Examples:
  ranklens factorize model.onnx --out small.onnx --budget params:0.6 --verify
  ranklens factorize model.onnx --dry-run --ranks energy:0.95
  ranklens factorize model.onnx --out small.onnx --budget latency:0.8
  ranklens factorize model.onnx --out small.onnx --budget params:0.6 --calibration inputs.npz
  ranklens factorize model.safetensors --out small.safetensors --ranks ratio:0.5
  ranklens factorize model.onnx --out small.onnx --ranks small.onnx.plan.json
  ranklens factorize models/llama --out models/llama-small --budget params:0.8
  ranklens factorize checkpoint.pt --out small.safetensors --ranks energy:0.95 --verify

ONNX stays ONNX. safetensors, PyTorch, GGUF, Keras and NumPy are written as safetensors: a checkpoint of several files stays
one of several, and the configuration and tokenizer of a Hugging Face folder go along. What --as writes of these:
  factored       the factors, smaller, with load_factorized.py, which builds their layers in PyTorch
  reconstructed  weights of the old shapes, which load everywhere: to try what a rank costs, no smaller
  adapter        a base and an adapter of PEFT (in NAME-adapter) that together are the original: the start of fine-tuning
                 the principal part alone (PiSSA), larger

How a budget is shared (--allocate):
  least-total     every weight goes where it takes most error away
  minimax         the largest error over the layers is as small as possible (ALDS)
  effective-rank  every layer keeps a rank in proportion to its effective rank
  equal-ratio     every layer keeps the same share of its weights
  sensitivity     by what cutting each layer alone does to the model's outputs on --calibration, which is measured (ONNX)

The original is never overwritten. The plan lies beside the output as FILE.plan.json; applied again it gives the same bytes.`;

function addFactorize(program: Command, finish: (code: number) => void): void {
  program
    .command("factorize")
    .description("write a smaller model with low-rank layers")
    .argument("<model>", "model file, index file of a sharded checkpoint, or folder that holds one model")
    .option("--out <path>", "the factorized model, a file or a folder; its plan is written beside it")
    .addOption(new Option("--scheme <scheme>", "how layers are factorized; matrices by svd where it does not fit them").choices(SCHEME_WISHES).default("auto"))
    .option("--ranks <rule>", "energy:0.9, stable, scaled-stable, effective, evbmf, hard-threshold, ratio:0.5, fixed:16, or a plan (.json); default energy:0.9")
    .option("--budget <budget>", "of the whole model: params:0.6, params:2M, bytes:0.5, bytes:10MiB, macs:0.5 (multiply-adds), latency:0.8, latency:12ms (ONNX, measured on this machine, and verified)")
    .addOption(new Option("--allocate <how>", "how a budget is shared over layers (see below)").choices([...Object.keys(ALLOCATIONS), SENSITIVITY]).default("least-total"))
    .option("--calibration <data>", "inputs that errors and factors follow: of an ONNX graph (.npz, .npy, ONNX's .pb), of other formats a .npz of layers' inputs, samples × inputs, by name")
    .option("--include <glob>", "layers that are off by default (first convolution, last layer, embeddings, state weights); can be given several times", collect, [])
    .option("--exclude <glob>", "layers that stay as they are; can be given several times", collect, [])
    .addOption(new Option("--as <form>", "safetensors: factors, weights of the same shapes (no smaller), or base and adapter (see below)").choices([...OUTPUTS]).default("factored"))
    .option("--verify [data]", "compare with the original afterwards: ONNX on data (.npz, .npy, ONNX's .pb) or seeded random inputs, others layer by layer on Gaussian inputs")
    .option("--dry-run", "show the plan, write nothing", false)
    .option("--json", "write plan and figures as JSON", false)
    .option("--threads <n>", "processes that compute at once (default: as many as there are cores)", positive)
    .option("--no-cache", "neither read nor keep results of the analysis")
    .option("--allow-external-data", "read ONNX external data outside of the model's folder", false)
    .addHelpText("after", FACTORIZE_EXAMPLES)
    .action(async (model: string, flags: FactorizeFlags) => finish(await factorizeCommand(model, flags)));
}

/** That a flag is off, or a list empty, unless it is given needs no word. */
function describedWithoutNothing(description: string): string {
  return description.replace(/ \(default: (?:false|\[\])\)$/, "");
}

function collect(value: string, previous: string[]): string[] {
  return [...previous, value];
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError("It must be a whole number of 1 or more.");
  return value;
}

/** How the next step is typed, where its sentence does not say. */
const IN_FLAGS: Readonly<Partial<Record<string, string>>> = { "budget-impossible": "--include '*' includes all, --dry-run without a budget lists them." };

function errorLine(error: unknown): string {
  if (error instanceof Fault) return printable([error.message, error.next, IN_FLAGS[error.code] ?? ""].filter((text) => text !== "").join(" "));
  return `internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}
