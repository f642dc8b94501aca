import { join, resolve } from "node:path";
import { stat } from "node:fs/promises";
import { Fault } from "../shared/fault";
import { verifyApart } from "../verify/fork";
import { EXIT } from "./exitCodes";
import { whileInterruptible } from "./factorizeCommand";
import { verificationLines } from "./factorizeSummary";

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
  const other = [original, candidate].find((path) => !path.toLowerCase().endsWith(".onnx"));
  if (other !== undefined) throw new Fault("unsupported", `${other} holds no graph that could be run.`, "Two ONNX models can be verified.");
  const request = { original: resolve(original), candidate: resolve(candidate), data: data === undefined ? null : resolve(data) };
  const verification = await whileInterruptible((signal) => verifyApart(join(__dirname, "verify.js"), request, signal));
  if (verification === null) {
    process.stderr.write("ranklens: interrupted.\n");
    return EXIT.interrupted;
  }
  const text = json ? `${JSON.stringify({ schema: "ranklens.verification/1", ...verification }, null, 2)}\n` : `${verificationLines(verification).join("\n")}\n`;
  await new Promise<void>((done) => process.stdout.write(text, () => done()));
  return EXIT.done;
}
