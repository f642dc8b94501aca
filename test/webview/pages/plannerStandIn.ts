import type { PlainFault } from "../../../src/shared/fault";
import type { ConfigPlan, HostToPlanner, PlannerMethods, PlanQuery, PlanTargets } from "../../../src/shared/plannerPage";
import { adaptedMatrices, planRows, usualProjectionRank } from "../../../src/training/planner/plan";
import { llama, LLAMA_7B } from "../../unit/training/madeModules";
import type { PlannerRequest, PlannerStandIn } from "../support/plannerStandInApi";
import { showTheme, STATE } from "./editor";

/** Stands in for the editor around the planner: Llama 2 7B, with a config that adapts q and v by DoRA. */
const parameters = new URLSearchParams(location.search);
const model = llama(LLAMA_7B);
const MATCHING: Readonly<Record<PlanTargets, RegExp>> = { config: /[qv]_proj$/, "all-linear": /_proj$/, attention: /self_attn/, mlp: /mlp/ };
const CONFIG_RANK = 16;
const requests: PlannerRequest[] = [];
let base = "meta-llama/Llama-2-7b-hf";
let fault: PlainFault | null = parameters.has("fault") ? { code: "not-found", message: "The base model meta-llama/Llama-2-7b-hf is not on this machine.", next: "Download it, or choose its folder." } : null;

function plan({ targets, rank, projectionRank }: PlanQuery): ConfigPlan {
  const chosen = targets ?? "config";
  const modulesOf = (which: PlanTargets) => model.modules.filter(({ name }) => MATCHING[which].test(name));
  const ranks = { of: () => ({ rank: rank ?? CONFIG_RANK, alpha: 16, scale: 1, rankKey: null, alphaKey: null }) };
  const gradients = projectionRank ?? usualProjectionRank(model.hiddenSize);
  return {
    fileName: "qlora.yml", ecosystem: "axolotl", configs: parameters.has("several") ? ["axolotl, line 1", "axolotl, line 40"] : ["axolotl, line 1"], config: 0,
    base: { name: base, parameters: model.parameters, remark: "" }, targets: chosen,
    choices: (Object.keys(MATCHING) as PlanTargets[]).map((each) => ({ targets: each, modules: modulesOf(each).length })),
    rank: { least: rank ?? CONFIG_RANK, most: rank ?? CONFIG_RANK }, projectionRank: gradients, largestRank: 4096, own: "dora",
    rows: planRows(model, adaptedMatrices({ modules: modulesOf(chosen), expertParameters: [] }, ranks), gradients),
  };
}

const answers: { readonly [M in keyof PlannerMethods]: (params: PlannerMethods[M]["params"]) => PlannerMethods[M]["result"] | PlainFault } = {
  plan: (query) => fault ?? { plan: plan(query), place: "file:///qlora.yml" },
  copy: () => null,
  showLog: () => null,
};

const post = (message: HostToPlanner): void => void setTimeout(() => postMessage(message, "*"), 0);

function receive(request: PlannerRequest): void {
  requests.push(request);
  const result = (answers[request.method] as (params: unknown) => unknown)(request.params);
  const isFault = typeof result === "object" && result !== null && "code" in result;
  post(isFault ? { type: "fault", id: request.id, fault: result as PlainFault } : { type: "answer", id: request.id, result });
}

const standIn: PlannerStandIn = {
  requests,
  repair: () => void (fault = null),
  rename: (name) => {
    base = name;
    post({ type: "changed" });
  },
};

Object.assign(globalThis, {
  standIn,
  acquireVsCodeApi: () => ({
    postMessage: (message: PlannerRequest) => receive(structuredClone(message)),
    getState: () => JSON.parse(sessionStorage.getItem(STATE) ?? "null") as unknown,
    setState: (state: unknown) => sessionStorage.setItem(STATE, JSON.stringify(state)),
  }),
});
showTheme(parameters.get("theme") ?? "dark");
