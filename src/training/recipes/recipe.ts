import { RECIPE_TITLES, type RecipeId } from "../../shared/recipe";
import cuttlefish from "./python/cuttlefish.py";
import lowRankTraining from "./python/low_rank_training.py";
import orthonormalPenalty from "./python/orthonormal_penalty.py";
import trainedRankPruning from "./python/trained_rank_pruning.py";

/** A way to train for low rank: one Python module, written beside the user's script, and how the script calls it. */
export interface Recipe {
  readonly id: RecipeId;
  /** As a person reads it. */
  readonly title: string;
  /** File name of the module without `.py`; its functions `lightning_callback` and `trainer_callback` make callbacks. */
  readonly module: string;
  /** The class for a plain loop: `Class(model, optimizer)`. */
  readonly className: string;
  /** The variable that holds it. */
  readonly variable: string;
  /** Methods that a plain loop calls: after each `optimizer.step()`, and after each epoch. */
  readonly perStep: boolean;
  readonly perEpoch: boolean;
  /** The module's text. */
  readonly text: string;
}

/** In the order in which they are offered. */
export const RECIPES: readonly Recipe[] = [
  {
    id: "trained-rank-pruning", title: RECIPE_TITLES["trained-rank-pruning"], module: "trained_rank_pruning", className: "TrainedRankPruning", variable: "pruning",
    perStep: true, perEpoch: true, text: trainedRankPruning,
  },
  {
    id: "cuttlefish", title: RECIPE_TITLES.cuttlefish, module: "cuttlefish", className: "Cuttlefish", variable: "cuttlefish",
    perStep: false, perEpoch: true, text: cuttlefish,
  },
  {
    id: "low-rank-training", title: RECIPE_TITLES["low-rank-training"], module: "low_rank_training", className: "DynamicalLowRank", variable: "dlrt",
    perStep: true, perEpoch: true, text: lowRankTraining,
  },
  {
    id: "orthonormal-penalty", title: RECIPE_TITLES["orthonormal-penalty"], module: "orthonormal_penalty", className: "OrthonormalPenalty", variable: "penalty",
    perStep: true, perEpoch: false, text: orthonormalPenalty,
  },
];

/** @throws RangeError for an unknown id: a defect of the caller */
export function recipeOf(id: RecipeId): Recipe {
  const recipe = RECIPES.find((one) => one.id === id);
  if (recipe === undefined) throw new RangeError(`There is no recipe ${id}.`);
  return recipe;
}
