/** Computes spectra on request, in a process of its own as in the product. */
import { readFileSync } from "node:fs";
import { exactSolver } from "../../src/linalg/exactSolver";
import { FastSolver } from "../../src/linalg/fast/fastSolver";

interface Request {
  readonly file: string;
  readonly rows: number;
  readonly columns: number;
  readonly count: number;
  readonly what: "values" | "triplets" | "leading";
}

const solver = new FastSolver({ threads: Number(process.argv[2]), fallback: exactSolver, tell: (sentence) => console.error(sentence) });

process.on("message", (request: Request) => void answer(request));
process.send?.({ ready: solver.description });

async function answer({ file, rows, columns, count, what }: Request): Promise<void> {
  const source = new Float32Array(new Uint8Array(readFileSync(file)).buffer);
  const data = new Float32Array(source.length);
  let ms = 0;
  let values: Float64Array = new Float64Array(0);
  // The first is not counted: caches are warm and threads awake after it, for the peers as well.
  for (let i = -1; i < count; i++) {
    data.set(source);
    const start = performance.now();
    const matrix = { rows, columns, data };
    if (what === "values") values = await solver.singularValues(matrix);
    else if (what === "triplets") values = solver.allTriplets(matrix).values;
    else values = Float64Array.of((await solver.leadingSingularValue(matrix)).value);
    if (i >= 0) ms += performance.now() - start;
  }
  process.send?.({ ms: ms / count, values: [...values], peak: process.resourceUsage().maxRSS / 1024 });
}
