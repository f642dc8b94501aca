import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A network on the test images. */
export interface Scored {
  /** Per cent of the test images that it names right. */
  readonly accuracy: number;
  readonly parameters: number;
}

/** One seed: a network trained plainly and one trained with TRP, each factorized by RankLens. */
export interface Effect {
  readonly seed: number;
  readonly plain: Scored;
  readonly trained: Scored;
  /** Both at the same energy. */
  readonly plainAtEnergy: Scored;
  readonly trainedAtEnergy: Scored;
  /** The plain one in as many parameters as TRP's has then, or fewer. */
  readonly plainAtSize: Scored;
}

/** The share of the squared singular values that TRP trains with, and at which RankLens factorizes. */
export const ENERGY = 0.95;
/** The layers that TRP prunes: all but the first convolution and the last linear layer. RankLens takes the one after a convolution of one channel for the first. */
const LAYERS = ["2.weight", "5.weight", "9.weight"];

/** Runs recipes_digits.py (Debian's python3-torch and python3-sklearn), whose answer is JSON. */
export async function digits<T>(script: string, ...args: string[]): Promise<T> {
  const { stdout } = await run("/usr/bin/python3", [script, ...args], { maxBuffer: 2 ** 24, env: { ...process.env, OPENBLAS_NUM_THREADS: "1", OMP_NUM_THREADS: "1" } });
  return JSON.parse(stdout) as T;
}

/**
 * Trains with and without TRP, factorizes by the scheme "channel" and scores, for every seed.
 * @param cli the program `ranklens`, @param script recipes_digits.py, @param folder an empty folder
 */
export async function measureEffect(cli: string, script: string, folder: string, epochs: number, seeds: readonly number[]): Promise<Effect[]> {
  const trained = await digits<Record<string, Scored>>(script, "train", folder, String(epochs), ...seeds.map(String));
  const effects: Effect[] = [];
  for (const seed of seeds) {
    const [plain, trp] = [`plain-${seed}`, `trp-${seed}`];
    await factorize(cli, folder, plain, `plain-energy-${seed}`, "--ranks", `energy:${ENERGY}`);
    const parameters = await factorize(cli, folder, trp, `trp-energy-${seed}`, "--ranks", `energy:${ENERGY}`);
    await factorize(cli, folder, plain, `plain-size-${seed}`, "--budget", `params:${parameters}`);
    const files = [`plain-energy-${seed}`, `trp-energy-${seed}`, `plain-size-${seed}`].map((name) => `${name}.safetensors`);
    const scores = await digits<Record<string, Scored>>(script, "evaluate", folder, ...files);
    const [plainAtEnergy, trainedAtEnergy, plainAtSize] = files.map((file) => scores[file]!) as [Scored, Scored, Scored];
    effects.push({ seed, plain: trained[plain]!, trained: trained[trp]!, plainAtEnergy, trainedAtEnergy, plainAtSize });
  }
  return effects;
}

/** @returns the parameters of the factorized network */
async function factorize(cli: string, folder: string, from: string, to: string, ...ranks: string[]): Promise<number> {
  const path = (name: string): string => join(folder, `${name}.safetensors`);
  const { stdout } = await run(process.execPath, [cli, "factorize", path(from), "--out", path(to), "--scheme", "channel", ...LAYERS.flatMap((layer) => ["--include", layer]), ...ranks, "--json", "--no-cache", "--threads", "1"], { maxBuffer: 2 ** 24 });
  return (JSON.parse(stdout) as { after: { parameters: number } }).after.parameters;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Standard deviation of a sample. */
export function deviation(values: readonly number[]): number {
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}
