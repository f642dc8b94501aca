import { availableParallelism } from "node:os";
import { Fault } from "../../shared/fault";
import type { Planning } from "../../shared/planning";
import type { SpectrumSolver } from "../../linalg/singularValues";
import { spectrumSolver } from "../spectra";
import { MOST_RUN_UNASKED } from "../multiplyAddsApart";
import { curve } from "./curve";
import { laddersOf } from "./ladders";
import { makeLadders } from "./makeLadders";
import { planOf } from "./planFile";
import type { PlanningMessage, PlanningMethod, PlanningMethods, PlanningRequest, PrepareParams } from "./planningProtocol";
import { PreparedModel } from "./preparedModel";
import { proposal } from "./proposal";
import { planningChoices } from "./words";

/** Models kept with their ladders: the one of the wizard, and the one before. */
const KEPT = 2;

class Unprepared extends Error {}

type Answers = { readonly [M in PlanningMethod]: (params: PlanningMethods[M]["params"]) => Promise<PlanningMethods[M]["result"]> };

/** Answers the requests that come over IPC. Proposals of a prepared model are computed at once; curves let others go first. */
export function servePlanning(channel: NodeJS.Process): void {
  const send = (message: PlanningMessage): void => { channel.send?.(message); };
  const models = new Map<string, PreparedModel>();
  const curves = new Map<string, symbol>();
  let solver: SpectrumSolver | null = null;
  const prepared = (key: string): PreparedModel => {
    const model = models.get(key);
    if (model === undefined) throw new Unprepared();
    return model;
  };
  const solverFor = (threads: number): SpectrumSolver => (solver ??= spectrumSolver(threads > 0 ? threads : availableParallelism(), (text) => send({ type: "notice", text })));
  const prepare = async ({ key, threads, multiplyAdds, ladders, made, times, ...options }: PrepareParams): Promise<PreparedModel> => {
    const model = models.get(key) ?? await PreparedModel.open({ ...options, solver: solverFor(threads), onLayer: (name, done) => send({ type: "layer", key, name, done }) });
    if (multiplyAdds !== null) model.place(multiplyAdds);
    if (times !== null) model.time(times);
    model.addLadders(ladders, made);
    models.delete(key);
    models.set(key, model);
    for (const oldest of models.keys()) if (models.size > KEPT) models.delete(oldest);
    return model;
  };
  const answers: Answers = {
    prepare: async (params) => readyPlanning(await prepare(params)),
    propose: async ({ key, draft }) => proposal(prepared(key), draft),
    curve: async ({ key, draft }) => {
      const own = Symbol(key);
      curves.set(key, own);
      return curve(prepared(key), draft, () => curves.get(key) === own);
    },
    ladders: async ({ key, name }) => laddersOf(prepared(key), name),
    plan: async ({ key, draft }) => planOf(prepared(key), draft),
    samples: async ({ key, schemes }) => prepared(key).samples(schemes),
    makeLadders: async ({ key, threads, ...wish }) => {
      await makeLadders(wish, solverFor(threads), {
        onLayer: (name, done, total) => send({ type: "making", path: wish.path, name, done, total }),
        onMade: (name, spectra) => send({ type: "made", key, name, spectra }),
      });
      return null;
    },
  };
  const serve = async ({ id, method, params }: PlanningRequest): Promise<void> => {
    try {
      // The compiler holds method and params together in `PlanningRequest`; here the method is a variable.
      const answer = answers[method] as (params: unknown) => Promise<unknown>;
      send({ type: "result", id, result: await answer(params) });
    } catch (error) {
      if (error instanceof Unprepared) send({ type: "unprepared", id });
      else send({ type: "fault", id, fault: planningFault(error).toPlain() });
    }
  };
  channel.on("message", (request: PlanningRequest) => void serve(request));
}

function readyPlanning(model: PreparedModel): Extract<Planning, { state: "ready" }> {
  return {
    state: "ready",
    layers: model.considered.map(({ name, dtype, parameters, candidate, reason }, index) => ({
      name, dtype, parameters, ...model.kinds[index]!, refusal: candidate === null ? reason : null, offReason: candidate === null ? null : (model.off.get(name) ?? null),
      schemes: candidate?.schemes.map(({ scheme }) => scheme.id) ?? [],
    })),
    choices: planningChoices(model.totals, model.outputs, model.schemes, model.hasGraph),
    ready: model.ready,
    latency: model.times === null ? null : { ...model.times.whole, schemes: model.times.schemes, unmeasured: model.times.unmeasured },
    countsUnasked: model.multiplyAdds === null && model.summary.bytes <= MOST_RUN_UNASKED,
    check: model.hasGraph ? "run" : "layers",
    ending: model.ending,
  };
}

function planningFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  if (error instanceof RangeError && /allocation|array length/i.test(error.message)) return new Fault("out-of-memory", "The layers' ranks do not fit into memory.", "Close other programs, or exclude the largest layers.");
  return new Fault("crashed", `Planning stopped: ${error instanceof Error ? error.message : String(error)}.`, "This is a defect of RankLens: please report it.");
}
