import { aflora, bora, capaboost, cola, dora, lora, lte, relora, roselora, rslora } from "./methods/lowRank";
import { apollo, apolloMini, coap, fira, floraOptimizer, galore, galorePlus, onlineSubspaceDescent } from "./methods/optimizers";
import { lotr, tiedLora } from "./methods/shared";
import { edora, loldu, loraXs, nola, nora, svfit, vera } from "./methods/small";
import { dota, flora, fullFineTuning, miss, sltrain } from "./methods/structured";
import type { Method } from "./method";

/** Every way to train that the planner knows. A new one is a record in `methods/` and a line here. */
export const METHODS: readonly Method[] = [
  lora, rslora, dora, bora, vera, tiedLora, nola, loraXs, svfit, edora, nora, loldu, miss, aflora, roselora, capaboost, lotr, flora, dota, sltrain, relora, cola, lte,
  fullFineTuning, galore, galorePlus, fira, coap, floraOptimizer, onlineSubspaceDescent, apollo, apolloMini,
];
