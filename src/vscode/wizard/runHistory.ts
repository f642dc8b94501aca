import type { Run } from "../../shared/wizardPage";

/** A run as it is kept: with its plan, and what it wrote, to know later whether that is still there as it was. */
export interface KeptRun extends Run {
  readonly plan: string;
  readonly files: readonly WrittenFile[];
}

export interface WrittenFile {
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
}

/** Where the editor keeps things for a workspace; `vscode.Memento` is one. */
export interface Memory {
  get(key: string): unknown;
  update(key: string, value: unknown): PromiseLike<void>;
}

const KEY = "ranklens.runs";
/** Each holds its plan, some hundred bytes for each layer: the editor keeps all of them in memory. */
const MOST_RUNS = 20;

/** Models that were written in this workspace, the latest first. */
export class RunHistory {
  private readonly listeners = new Set<() => void>();

  constructor(private readonly memory: Memory) {}

  get runs(): readonly KeptRun[] {
    const kept = this.memory.get(KEY);
    return Array.isArray(kept) ? kept.filter(isRun) : [];
  }

  /** Without plans, which pages do not need. */
  get shown(): readonly Run[] {
    return this.runs.map(({ id, time, path, output, draft, as, error, factorized, latencyShare = null, applied, check, checkFault, undone }) => ({ id, time, path, output, draft, as, error, factorized, latencyShare, applied, check, checkFault, undone }));
  }

  find(id: string): KeptRun | null {
    return this.runs.find((run) => run.id === id) ?? null;
  }

  async add(run: KeptRun): Promise<void> {
    await this.write([run, ...this.runs].slice(0, MOST_RUNS));
  }

  async change(id: string, changes: Partial<KeptRun>): Promise<void> {
    await this.write(this.runs.map((run) => (run.id === id ? { ...run, ...changes } : run)));
  }

  async forget(id: string): Promise<void> {
    await this.write(this.runs.filter((run) => run.id !== id));
  }

  onChanged(listener: () => void): void {
    this.listeners.add(listener);
  }

  private async write(runs: readonly KeptRun[]): Promise<void> {
    await this.memory.update(KEY, runs);
    for (const listener of this.listeners) listener();
  }
}

/** What another version kept may lack what this one needs. */
function isRun(value: unknown): value is KeptRun {
  if (typeof value !== "object" || value === null) return false;
  const run = value as Partial<Record<keyof KeptRun, unknown>>;
  return [run.id, run.time, run.path, run.output, run.as, run.plan].every((field) => typeof field === "string") && Array.isArray(run.files) && typeof run.applied === "object" && run.applied !== null;
}
