import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { DEFAULT_OPEN_OPTIONS } from "../models/model";
import { compareApart } from "../engine/compareApart";
import { printable } from "../engine/printable";
import { comparisonJson, comparisonText } from "./comparisonReport";
import { EXIT } from "./exitCodes";
import { whileInterruptible } from "./interrupt";
import { withProgressBar } from "./progressBar";

/** Options of `ranklens compare`, as commander parses them. */
export interface CompareFlags {
  readonly json: boolean;
  readonly threads?: number;
  readonly allowExternalData: boolean;
}

/** @returns the exit code. @throws Fault */
export async function compareCommand(a: string, b: string, { json, threads, allowExternalData }: CompareFlags): Promise<number> {
  const request = { a: resolve(a), b: resolve(b), options: { ...DEFAULT_OPEN_OPTIONS, allowExternalDataOutside: allowExternalData }, threads: threads ?? availableParallelism() };
  const comparison = await whileInterruptible((signal) => withProgressBar((bar) => compareApart(join(__dirname, "compare.js"), request, signal, (message) => {
    if (message.type === "progress") bar.showLayer(message.done, message.total, message.name);
  })));
  if (comparison === null) {
    process.stderr.write("ranklens: interrupted.\n");
    return EXIT.interrupted;
  }
  const columns = process.stdout.isTTY ? process.stdout.columns : Infinity;
  await new Promise<void>((done) => process.stdout.write(json ? comparisonJson(comparison) : comparisonText(comparison, columns), () => done()));
  for (const { name, reason } of comparison.failed) process.stderr.write(`ranklens: ${printable(`${name}: ${reason}`)}\n`);
  return comparison.layers.length === 0 && comparison.failed.length > 0 ? EXIT.fault : EXIT.done;
}
