import { basename } from "node:path";
import { version } from "../../../package.json";
import type { Draft, DraftWish } from "../../shared/planning";
import { plannedLatency } from "../../factorize/latency";
import { plannedMultiplyAdds } from "../../factorize/multiplyAdds";
import { PLAN_SCHEMA, planText } from "../../factorize/plan";
import type { PreparedModel } from "./preparedModel";
import { amountWords, isOfLatency, isUnit } from "./words";
import { draftedLayers, plannedLayers } from "./proposal";

/** A draft as a plan's file, which the terminal applies too. Reads all of the model's files once, for their hash. @throws Fault */
export async function planOf(model: PreparedModel, draft: Draft): Promise<string> {
  const layers = plannedLayers(model, draft, draftedLayers(model, draft));
  const { path, format, parameters } = model.summary;
  const locks = Object.keys(draft.locks).length;
  const { wish } = draft;
  // A person chooses a share of what the model took: beside another measurement of it, that is what can be held to.
  const latency = wish.kind === "budget" && isOfLatency(wish) && model.latency !== null ? plannedLatency(model.latency, wish.amount, wish.amount / model.latency.total, layers) : null;
  return planText({
    schema: PLAN_SCHEMA, tool: { name: "ranklens", version },
    source: { file: basename(path), format, sha256: await model.sha256(), parameters },
    choice: `${wishText(wish)}, scheme ${draft.scheme}${latency === null ? "" : ", measured on this machine"}${locks === 0 ? "" : `, ${locks} ${locks === 1 ? "layer" : "layers"} set by hand`}`,
    multiplyAdds: model.multiplyAdds === null ? null : plannedMultiplyAdds(model.multiplyAdds, layers),
    ...(latency === null ? {} : { latency }),
    layers,
  });
}

function wishText(wish: DraftWish): string {
  if (wish.kind === "rule") return `ranks ${wish.rule}`;
  const { unit, amount, allocation } = wish;
  return `budget of ${isUnit(unit) ? amountWords(unit)(amount) : amount} by ${allocation}`;
}
