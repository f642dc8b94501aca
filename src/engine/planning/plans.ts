import { Fault } from "../../shared/fault";
import type { Curve, Draft, LayerLadder, Planning, Proposal, Work } from "../../shared/planning";
import type { OpenOptions } from "../../models/model";
import type { Report } from "../report";
import type { Reports } from "../reports";
import { NotPrepared, Planner } from "./planner";
import type { PrepareParams } from "./planningProtocol";
import { isOutput } from "./words";

export interface PlansOptions {
  readonly script: string;
  readonly open: OpenOptions;
  readonly threads: number;
  readonly onWork: (work: Work) => void;
  readonly log: (text: string) => void;
}

/** Plans by model: what is known of its spectra goes to the planning process once, and again when it changed. */
export class Plans {
  private readonly planner: Planner;
  private readonly preparing = new Map<string, { readonly path: string; readonly total: number }>();

  constructor(private readonly reports: Reports, private readonly options: PlansOptions) {
    this.planner = new Planner(options.script, {
      onLayer: (key, layer, done) => {
        const own = this.preparing.get(key);
        if (own !== undefined) options.onWork({ path: own.path, task: "prepare", layer, done, total: own.total });
      },
      log: options.log,
    });
  }

  /** @throws Fault, Cancelled */
  async open(path: string, as: string, signal: AbortSignal): Promise<Planning> {
    const report = await this.reports.fresh(path);
    const { done, failed, total } = report.counts();
    const missing = total - done - failed;
    return missing > 0 ? { state: "unanalyzed", missing, total } : this.prepare(report, as, signal);
  }

  async propose(path: string, draft: Draft, signal: AbortSignal): Promise<Proposal> {
    return this.withModel(path, draft.as, signal, (key) => this.planner.request("propose", { key, draft }, signal));
  }

  async curve(path: string, draft: Draft, signal: AbortSignal): Promise<Curve | null> {
    return this.withModel(path, draft.as, signal, (key) => this.planner.request("curve", { key, draft }, signal));
  }

  async ladders(path: string, as: string, name: string, signal: AbortSignal): Promise<readonly LayerLadder[]> {
    return this.withModel(path, as, signal, (key) => this.planner.request("ladders", { key, name }, signal));
  }

  /** A plan's file as text. */
  async plan(path: string, draft: Draft, signal: AbortSignal): Promise<string> {
    return this.withModel(path, draft.as, signal, (key) => this.planner.request("plan", { key, draft }, signal));
  }

  stop(): void {
    this.planner.stop();
  }

  private async withModel<R>(path: string, as: string, signal: AbortSignal, ask: (key: string) => Promise<R>): Promise<R> {
    const report = await this.reports.fresh(path);
    const { done, failed, total } = report.counts();
    if (done + failed < total) throw new Fault("usage", "The model is not analyzed: its spectra decide the ranks.", "Analyze it first.");
    try {
      return await ask(keyOf(report, as));
    } catch (error) {
      if (!(error instanceof NotPrepared)) throw error;
    }
    await this.prepare(report, as, signal);
    return ask(keyOf(report, as));
  }

  private async prepare(report: Report, as: string, signal: AbortSignal): Promise<Planning> {
    if (!isOutput(as)) throw new Fault("usage", `There is no output named "${as}".`, "Choose another one.");
    const key = keyOf(report, as);
    this.preparing.set(key, { path: report.path, total: report.layers.length });
    try {
      const params: PrepareParams = { key, path: report.path, open: this.options.open, as, threads: this.options.threads, spectra: spectraOf(report), failed: failedOf(report) };
      return await this.planner.request("prepare", params, signal);
    } finally {
      this.preparing.delete(key);
    }
  }
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
