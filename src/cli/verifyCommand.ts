import { join, resolve } from "node:path";
import { stat } from "node:fs/promises";
import { Fault } from "../shared/fault";
import { compareWeightsApart, verifyApart } from "../verify/fork";
import type { Verification, WeightVerification } from "../verify/verification";
import { EXIT } from "./exitCodes";
import { layerErrorLines, verificationLines } from "./factorizeSummary";
import { whileInterruptible } from "./interrupt";

/** Options of `ranklens verify`, as commander parses them. */
export interface VerifyFlags {
  readonly data?: string;
  readonly json: boolean;
}

/** @returns the exit code. @throws Fault */
export async function verifyCommand(original: string, candidate: string, { data, json }: VerifyFlags): Promise<number> {
  for (const path of [original, candidate, ...(data === undefined ? [] : [data])]) {
    await stat(path).catch(() => { throw new Fault("not-found", `${path} does not exist.`, "Check the path."); });
  }
  const isGraph = [original, candidate].map((path) => path.toLowerCase().endsWith(".onnx"));
  if (isGraph[0] !== isGraph[1]) throw new Fault("usage", "One of the two is ONNX, and the other is not.", "Compare a model with its own factorization.");
  if (isGraph[0] !== true && data !== undefined) throw new Fault("usage", `${original} cannot be run on data: it holds no graph.`, "Leave --data out.");
  const request = { original: resolve(original), candidate: resolve(candidate), data: data === undefined ? null : resolve(data) };
  const script = join(__dirname, "verify.js");
  const verification = await whileInterruptible<Verification | WeightVerification>((signal) => (isGraph[0] === true ? verifyApart(script, request, signal) : compareWeightsApart(script, request, signal)));
  if (verification === null) {
    process.stderr.write("ranklens: interrupted.\n");
    return EXIT.interrupted;
  }
  const text = json ? `${JSON.stringify({ schema: "ranklens.verification/1", ...verification }, null, 2)}\n` : `${("layers" in verification ? layerErrorLines(verification) : verificationLines(verification)).join("\n")}\n`;
  await new Promise<void>((done) => process.stdout.write(text, () => done()));
  return EXIT.done;
}
