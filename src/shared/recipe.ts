import type { RangeEdit } from "./configReading";

/** Ways to train for low rank that can be added to a script, as a person reads them, in the order in which they are offered. */
export const RECIPE_TITLES = {
  "trained-rank-pruning": "Trained Rank Pruning",
  cuttlefish: "Cuttlefish",
  "low-rank-training": "Rank-Adaptive Low-Rank Training (DLRT)",
  "orthonormal-penalty": "Orthonormal Penalty",
} as const;

export type RecipeId = keyof typeof RECIPE_TITLES;

export const RECIPE_IDS = Object.keys(RECIPE_TITLES) as readonly RecipeId[];

/** The recipe's module, to be written into the script's folder unless a file of that name is there. */
export interface RecipeFile {
  readonly name: string;
  readonly text: string;
}

/** How the script trains: a loop of its own, or the Trainer of Lightning or Hugging Face. */
export type TrainingStyle = "loop" | "lightning" | "huggingface";

/**
 * What adding a recipe to a script comes to:
 * - `insert`: edits of the script, which do not overlap, and the file.
 * - `present`: the script imports the module; nothing is to be done.
 * - `paste`: no place was found; `reason` says why in a sentence, `snippet` is what a person can put in by hand.
 */
export type RecipeAddition =
  | { readonly kind: "insert"; readonly style: TrainingStyle; readonly edits: readonly RangeEdit[]; readonly file: RecipeFile }
  | { readonly kind: "present" }
  | { readonly kind: "paste"; readonly reason: string; readonly snippet: string; readonly file: RecipeFile };
