import { basename } from "node:path";
import { version } from "../../../package.json";
import type { Draft, DraftWish } from "../../shared/planning";
import { plannedMultiplyAdds } from "../../factorize/multiplyAdds";
import { PLAN_SCHEMA, planText } from "../../factorize/plan";
import type { PreparedModel } from "./preparedModel";
import { amountWords, isUnit } from "./words";
import { draftedLayers, plannedLayers } from "./proposal";

/** A draft as a plan's file, which the terminal applies too. Reads all of the model's files once, for their hash. @throws Fault */
export async function planOf(model: PreparedModel, draft: Draft): Promise<string> {
  const layers = plannedLayers(model, draft, draftedLayers(model, draft));
  const { path, format, parameters } = model.summary;
  const locks = Object.keys(draft.locks).length;
  return planText({
    schema: PLAN_SCHEMA, tool: { name: "ranklens", version },
    source: { file: basename(path), format, sha256: await model.sha256(), parameters },
    choice: `${wishText(draft.wish)}, scheme ${draft.scheme}${locks === 0 ? "" : `, ${locks} ${locks === 1 ? "layer" : "layers"} set by hand`}`,
    multiplyAdds: model.multiplyAdds === null ? null : plannedMultiplyAdds(model.multiplyAdds, layers),
    layers,
  });
}

function wishText(wish: DraftWish): string {
  if (wish.kind === "rule") return `ranks ${wish.rule}`;
  const { unit, amount, allocation } = wish;
  return `budget of ${isUnit(unit) ? amountWords(unit)(amount) : amount} by ${allocation}`;
}
