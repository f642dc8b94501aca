import type { EngineMethod, EngineMethods, EngineNotifications } from "../shared/protocol";
import type { Work } from "../shared/planning";
import type { Progress } from "../shared/report";
import { Supervisor } from "./supervisor";

/** How the background process is started; none of it can change while it runs. */
export interface EngineOptions {
  /** Absolute path of the built `dist/engine.js`; `compute.js` lies beside it. */
  readonly engineScript: string;
  /** Folder of the results cache; null: results live as long as the process. */
  readonly cacheFolder: string | null;
  /** Compute processes at once; 0: as many as there are cores. */
  readonly threads: number;
  /** Bound of the cache folder's size; least recently used models are forgotten first. */
  readonly cacheMegabytes: number;
  /** Memory that the compute processes take together; 0: a quarter of the machine's. A layer that needs more runs alone. */
  readonly memoryMegabytes: number;
  readonly allowExternalDataOutside: boolean;
  /** Tensors with fewer weights are listed as skipped. */
  readonly smallestTensor: number;
}

export interface Subscription {
  dispose(): void;
}

/** The background process as its users see it: it answers, or it says why it cannot. */
export interface EngineClient {
  /**
   * Asks the engine, and starts it if it is not running. A request in flight when the process dies is
   * asked again of its successor; an analysis goes on from the cache.
   * @param signal ends the request: an analysis stops computing unless somebody else asked for it too
   * @throws Fault (code "engine-gone" when the process keeps dying or does not answer); Cancelled after `signal`
   */
  request<M extends EngineMethod>(method: M, params: EngineMethods[M]["params"], signal?: AbortSignal): Promise<EngineMethods[M]["result"]>;
  /** Progress of every analysis, at most ten times a second each; the last state of each always arrives. */
  onProgress(listener: (progress: Progress) => void): Subscription;
  /** Layers of a model that is being made ready for plans, or written. */
  onWork(listener: (work: Work) => void): Subscription;
  onLog(listener: (entry: EngineNotifications["log"]) => void): Subscription;
  /** Stops the process (asked, then SIGTERM, then SIGKILL); pending requests end as Cancelled. */
  dispose(): Promise<void>;
}

/** Starts nothing yet: the process is forked by the first request. */
export function startEngine(options: EngineOptions): EngineClient {
  return new Supervisor(options);
}
