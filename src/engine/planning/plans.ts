import { Fault } from "../../shared/fault";
import type { Curve, Draft, DraftWish, LayerLadder, Planning, Proposal, Work } from "../../shared/planning";
import type { Output } from "../../factorize/source";
import type { OpenOptions } from "../../models/model";
import type { Report } from "../report";
import type { Reports } from "../reports";
import { Counts } from "./counts";
import { NotPrepared, Planner } from "./planner";
import type { PrepareParams } from "./planningProtocol";
import { isOutput, isOfMultiplyAdds } from "./words";

export interface PlansOptions {
  readonly script: string;
  readonly verifyScript: string;
  readonly open: OpenOptions;
  readonly threads: number;
  readonly onWork: (work: Work) => void;
  readonly log: (text: string) => void;
}

/** wish null: nothing is proposed. */
interface Asked {
  readonly as: string;
  readonly wish: DraftWish | null;
}

/** Plans by model: what is known of its spectra goes to the planning process once, and again when it changed. */
export class Plans {
  private readonly planner: Planner;
  private readonly counts: Counts;
  private readonly preparing = new Map<string, { readonly path: string; readonly total: number }>();

  constructor(private readonly reports: Reports, private readonly options: PlansOptions) {
    this.counts = new Counts(options);
    this.planner = new Planner(options.script, {
      onLayer: (key, layer, done) => {
        const own = this.preparing.get(key);
        if (own !== undefined) options.onWork({ path: own.path, task: "prepare", layer, done, total: own.total });
      },
      log: options.log,
    });
  }

  /** @param count counts multiply-adds first. @throws Fault, Cancelled */
  async open(path: string, as: string, count: boolean, signal: AbortSignal): Promise<Planning> {
    const report = await this.reports.fresh(path);
    const { done, failed, total } = report.counts();
    const missing = total - done - failed;
    if (missing > 0) return { state: "unanalyzed", missing, total };
    if (count) await this.counts.count(keyOf(report, as), path, outputOf(as));
    return this.prepare(report, as, signal);
  }

  async propose(path: string, draft: Draft, signal: AbortSignal): Promise<Proposal> {
    return this.withModel(path, draft, signal, (key) => this.planner.request("propose", { key, draft }, signal));
  }

  async curve(path: string, draft: Draft, signal: AbortSignal): Promise<Curve | null> {
    return this.withModel(path, draft, signal, (key) => this.planner.request("curve", { key, draft }, signal));
  }

  async ladders(path: string, as: string, name: string, signal: AbortSignal): Promise<readonly LayerLadder[]> {
    return this.withModel(path, { as, wish: null }, signal, (key) => this.planner.request("ladders", { key, name }, signal));
  }

  /** A plan's file as text. */
  async plan(path: string, draft: Draft, signal: AbortSignal): Promise<string> {
    return this.withModel(path, draft, signal, (key) => this.planner.request("plan", { key, draft }, signal));
  }

  stop(): void {
    this.counts.stop();
    this.planner.stop();
  }

  private async withModel<R>(path: string, { as, wish }: Asked, signal: AbortSignal, ask: (key: string) => Promise<R>): Promise<R> {
    const report = await this.reports.fresh(path);
    const { done, failed, total } = report.counts();
    if (done + failed < total) throw new Fault("usage", "The model is not analyzed: its spectra decide the ranks.", "Analyze it first.");
    const key = keyOf(report, as);
    if (wish !== null && isOfMultiplyAdds(wish) && this.counts.known(key) === null) {
      await this.counts.count(key, path, outputOf(as));
      await this.prepare(report, as, signal);
    }
    try {
      return await ask(key);
    } catch (error) {
      if (!(error instanceof NotPrepared)) throw error;
    }
    await this.prepare(report, as, signal);
    return ask(key);
  }

  private async prepare(report: Report, as: string, signal: AbortSignal): Promise<Planning> {
    const key = keyOf(report, as);
    this.preparing.set(key, { path: report.path, total: report.layers.length });
    try {
      const params: PrepareParams = { key, path: report.path, open: this.options.open, as: outputOf(as), threads: this.options.threads, spectra: spectraOf(report), failed: failedOf(report), multiplyAdds: this.counts.known(key) };
      return await this.planner.request("prepare", params, signal);
    } finally {
      this.preparing.delete(key);
    }
  }
}

function outputOf(as: string): Output {
  if (!isOutput(as)) throw new Fault("usage", `There is no output named "${as}".`, "Choose another one.");
  return as;
}

/** Changes with the model's content and with what is known of it. */
function keyOf(report: Report, as: string): string {
  const { done, failed } = report.counts();
  return JSON.stringify([report.path, report.fingerprint, as, done, failed]);
}

function spectraOf(report: Report): PrepareParams["spectra"] {
  return report.rows.flatMap(({ id, name, unfolding, part, state }) => (state === "done" ? [{ name, unfolding, part, values: report.spectrum(id) }] : []));
}

function failedOf(report: Report): ReadonlyMap<string, string> {
  return new Map(report.rows.flatMap(({ name, fault }) => (fault === null ? [] : [[name, fault.message] as const])));
}
