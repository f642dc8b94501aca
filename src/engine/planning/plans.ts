import { Fault } from "../../shared/fault";
import type { Curve, Draft, LayerLadder, Planning, Proposal, Work } from "../../shared/planning";
import type { Output } from "../../factorize/source";
import type { OpenOptions } from "../../models/model";
import type { Report } from "../report";
import type { Reports } from "../reports";
import { Counts } from "./counts";
import { Latencies } from "./latencies";
import { MadeLadders } from "./madeLadders";
import { NotPrepared, Planner } from "./planner";
import type { PrepareParams } from "./planningProtocol";
import { SharedWork } from "./sharedWork";
import { isOfLatency, isOfMultiplyAdds, isOutput, schemesNeeded } from "./words";

export interface PlansOptions {
  readonly script: string;
  readonly verifyScript: string;
  readonly open: OpenOptions;
  readonly threads: number;
  readonly onWork: (work: Work) => void;
  readonly log: (text: string) => void;
}

/** What a draft needs of a model beyond its being prepared. */
type Needs = Pick<Draft, "as" | "scheme" | "locks" | "wish">;

/** Plans by model: what is known of its spectra goes to the planning process once, and again when it changed. */
export class Plans {
  private readonly planner: Planner;
  /** A process of its own: fitting takes long, is killed when it is cancelled, and proposals go on meanwhile. */
  private readonly maker: Planner;
  private readonly counts: Counts;
  private readonly latencies: Latencies;
  private readonly ladderWork = new SharedWork<void>();
  private readonly made = new MadeLadders();
  private readonly preparing = new Map<string, { readonly path: string; readonly total: number }>();

  constructor(private readonly reports: Reports, private readonly options: PlansOptions) {
    const { script, onWork, log } = options;
    this.counts = new Counts(options);
    this.latencies = new Latencies(options);
    const listeners = {
      onLayer: (key: string, layer: string, done: number): void => {
        const own = this.preparing.get(key);
        if (own !== undefined) onWork({ path: own.path, task: "prepare", layer, done, total: own.total });
      },
      onMaking: ({ path, name, done, total }: { readonly path: string; readonly name: string; readonly done: number; readonly total: number }): void => onWork({ path, task: "ladders", layer: name, done, total }),
      onMade: ({ key, name, spectra }: { readonly key: string; readonly name: string; readonly spectra: Parameters<MadeLadders["add"]>[2] }): void => this.made.add(key, name, spectra),
      log,
    };
    this.planner = new Planner("Planning process", script, listeners);
    this.maker = new Planner("Ladder process", script, listeners);
  }

  /** @param count counts multiply-adds first. @throws Fault, Cancelled */
  async open(path: string, as: string, count: boolean, signal: AbortSignal): Promise<Planning> {
    const report = await this.reports.fresh(path);
    const { done, failed, total } = report.counts();
    const missing = total - done - failed;
    if (missing > 0) return { state: "unanalyzed", missing, total };
    if (count) await this.counts.count(keyOf(report, as), path, outputOf(as), signal);
    return this.prepare(report, as, signal);
  }

  /** Makes what a draft needs, each once. @throws Fault, Cancelled */
  async ready(path: string, draft: Draft, signal: AbortSignal): Promise<Planning> {
    const report = await this.analyzed(path);
    await this.complete(report, draft, signal);
    return this.prepare(report, draft.as, signal);
  }

  async propose(path: string, draft: Draft, signal: AbortSignal): Promise<Proposal> {
    return this.withDraft(path, draft, signal, (key) => this.planner.request("propose", { key, draft }, signal));
  }

  async curve(path: string, draft: Draft, signal: AbortSignal): Promise<Curve | null> {
    return this.withDraft(path, draft, signal, (key) => this.planner.request("curve", { key, draft }, signal));
  }

  async ladders(path: string, as: string, name: string, signal: AbortSignal): Promise<readonly LayerLadder[]> {
    return this.withModel(await this.analyzed(path), as, signal, (key) => this.planner.request("ladders", { key, name }, signal));
  }

  /** A plan's file as text. */
  async plan(path: string, draft: Draft, signal: AbortSignal): Promise<string> {
    return this.withDraft(path, draft, signal, (key) => this.planner.request("plan", { key, draft }, signal));
  }

  stop(): void {
    this.counts.stop();
    this.latencies.stop();
    this.maker.stop();
    this.planner.stop();
  }

  private async analyzed(path: string): Promise<Report> {
    const report = await this.reports.fresh(path);
    const { done, failed, total } = report.counts();
    if (done + failed < total) throw new Fault("usage", "The model is not analyzed: its spectra decide the ranks.", "Analyze it first.");
    return report;
  }

  private async withDraft<R>(path: string, draft: Draft, signal: AbortSignal, ask: (key: string) => Promise<R>): Promise<R> {
    const report = await this.analyzed(path);
    if (await this.complete(report, draft, signal)) await this.prepare(report, draft.as, signal);
    return this.withModel(report, draft.as, signal, ask);
  }

  private async withModel<R>(report: Report, as: string, signal: AbortSignal, ask: (key: string) => Promise<R>): Promise<R> {
    const key = keyOf(report, as);
    try {
      return await ask(key);
    } catch (error) {
      if (!(error instanceof NotPrepared)) throw error;
    }
    await this.prepare(report, as, signal);
    try {
      return await ask(key);
    } catch (error) {
      if (!(error instanceof NotPrepared)) throw error;
      throw new Fault("crashed", "The planning process lost the model twice.", "Try again; close other programs if memory is short.");
    }
  }

  /** @returns whether the planning process has to be told of more than it knew */
  private async complete(report: Report, { as, wish, ...chosen }: Needs, signal: AbortSignal): Promise<boolean> {
    const key = keyOf(report, as);
    const schemes = schemesNeeded({ ...chosen, as });
    const ladders = this.made.missing(key, schemes);
    if (ladders.length > 0) await this.ladderWork.join(JSON.stringify([key, ladders]), signal, (stop) => this.makeLadders(report, as, ladders, stop));
    const counts = isOfMultiplyAdds(wish) && this.counts.known(key) === null;
    if (counts) await this.counts.count(key, report.path, outputOf(as), signal);
    const times = isOfLatency(wish) && this.latencies.missing(key, schemes).length > 0;
    if (times) {
      // The layers' ladders say which of their ranks are timed.
      if (ladders.length > 0) await this.prepare(report, as, signal);
      await this.latencies.measure({
        key, path: report.path, as: outputOf(as), schemes,
        samples: (asked, stop) => this.withModel(report, as, stop, () => this.planner.request("samples", { key, schemes: asked }, stop)),
      }, signal);
    }
    return ladders.length > 0 || counts || times;
  }

  private async makeLadders(report: Report, as: string, schemes: ReturnType<MadeLadders["missing"]>, signal: AbortSignal): Promise<void> {
    const key = keyOf(report, as);
    const there = new Map([...this.made.of(key)].map(([name, spectra]) => [name, [...spectra.keys()]]));
    await this.maker.request("makeLadders", { key, schemes, there, ...this.known(report, as) }, signal);
    this.made.complete(key, schemes);
  }

  private async prepare(report: Report, as: string, signal: AbortSignal): Promise<Planning> {
    const key = keyOf(report, as);
    this.preparing.set(key, { path: report.path, total: report.layers.length });
    try {
      const params: PrepareParams = {
        key, ...this.known(report, as),
        multiplyAdds: this.counts.known(key), ladders: this.made.of(key), made: this.made.schemes(key), times: this.latencies.known(key),
      };
      return await this.planner.request("prepare", params, signal);
    } finally {
      this.preparing.delete(key);
    }
  }

  private known(report: Report, as: string): Pick<PrepareParams, "path" | "open" | "as" | "threads" | "spectra" | "failed"> {
    return { path: report.path, open: this.options.open, as: outputOf(as), threads: this.options.threads, spectra: spectraOf(report), failed: failedOf(report) };
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
