import { placeOf } from "../names";
import type { PlacedTensor } from "./layers";

/** Modules that end a model, outside of its blocks. */
const LAST = /(?:^|[._])(?:lm_head|head|classifier|score|output|embed_out|fc|logits|final\w*)$/i;
/** Modules that begin it. */
const FIRST = /(?:^|[._])(?:embed\w*|\w*embeddings?|wte|wpe|shared|\w+_embd|stem|patch_embed\w*)(?:[._]|$)/i;
/** Steps of a block whose names tell their order; all others come at the place of the empty one. */
const STEPS = [
  /^(?:self|attn\d?$|attention$)/i, /attn|attention/i, /^(?:to_)?w?q(?:uery)?(?:_proj|_lin)?$/i, /^(?:to_)?w?k(?:ey)?(?:_proj|_lin)?$/i, /^(?:to_)?w?v(?:alue)?(?:_proj|_lin)?$/i,
  /^$/, /^(?:o_proj|out_proj|to_out|c_proj)$/, /^(?:gate|c_fc|fc1)/, /^up/, /^(?:down|fc2)/,
];
const UNRANKED = STEPS.findIndex((pattern) => pattern.test(""));
/** Digits to which numbers in names are filled up, so that they sort as numbers. */
const DIGITS = 9;

/**
 * Tensors in the order of the model, as far as it can be told. Writers that keep the order of the state dict are
 * followed. The format's own library sorts by type, then name, which puts layers.10 before layers.2 and the head first: such
 * files are sorted by name with numbers as numbers, embeddings first, heads last.
 */
export function inModelOrder(placed: readonly PlacedTensor[]): readonly PlacedTensor[] {
  if (!isSorted(placed)) return placed;
  const blocks = memo(padded), steps = memo(ranked);
  const keyed = placed.map((one) => ({ one, key: keyOf(one.name, blocks, steps) }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return keyed.map(({ one }) => one);
}

/** Whether names ascend within each file, wherever the type stays the same. */
function isSorted(placed: readonly PlacedTensor[]): boolean {
  return placed.every((one, index) => {
    const before = placed[index - 1];
    return before === undefined || before.shard !== one.shard || before.tensor.type !== one.tensor.type || before.name <= one.name;
  });
}

/** Sorts as a name's place in the model does. */
function keyOf(name: string, blocks: Memo, steps: Memo): string {
  const { block, module } = placeOf(name);
  const group = block !== null ? 1 : FIRST.test(module) ? 0 : LAST.test(module) ? 2 : 1;
  return `${group}${blocks(block ?? "")}.${module.split(".").map(steps).join(".")}`;
}

type Memo = (text: string) => string;

/** Steps of names are few, and many names share them. */
function memo(make: Memo): Memo {
  const known = new Map<string, string>();
  return (text) => {
    let made = known.get(text);
    if (made === undefined) known.set(text, made = make(text));
    return made;
  };
}

/** Attention before what follows it, and its parts in the order in which they compute. */
function ranked(step: string): string {
  const found = STEPS.findIndex((pattern) => pattern.test(step));
  return `${found < 0 ? UNRANKED : found}${padded(step)}`;
}

function padded(text: string): string {
  return text.replace(/\d+/g, (digits) => digits.padStart(DIGITS, "0"));
}
