import { fingerprint } from "../models/fingerprint";
import { openModel } from "../models/formats";
import type { OpenOptions } from "../models/model";
import type { ModelBadge } from "../shared/protocol";
import type { ResultsCache } from "./cache";

/**
 * What a list of models shows, without taking the model's results into memory: headers, and the closing record
 * of its journal.
 * @throws Fault
 */
export async function badgeOf(path: string, options: OpenOptions, cache: ResultsCache | null): Promise<ModelBadge> {
  const model = await openModel(path, options);
  try {
    const { format, parameters } = model.summary;
    const journal = await cache?.journal(await fingerprint(model.files), options).catch(() => null);
    const run = (await journal?.lastRun()) ?? null;
    return { format, parameters, meanUtilization: run?.complete === true ? run.meanUtilization : null };
  } finally {
    await model.close();
  }
}
