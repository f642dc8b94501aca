import type { Composite } from "../../linalg/composite";
import type { StoredMatrix, Tensor } from "../model";
import { axis, product, view } from "../views/made";
import type { Part } from "./factorNames";

/** The tensors of one adapter of one module. */
export type Parts = ReadonlyMap<Part, Tensor>;

/** The change W that an adapter makes, but for its scale. */
export interface Change {
  readonly method: "LoRA" | "LoHa" | "LoKr";
  readonly composite: Composite<StoredMatrix>;
  /** [out, in], of convolutions [out, in, k…]. */
  readonly shape: readonly number[];
  /** The r of α/r; null where both factors of a LoKr are kept whole, which are not scaled. */
  readonly rank: number | null;
  /** Parts that it is made of, from left to right. */
  readonly parts: readonly Part[];
}

type Expression = Composite<StoredMatrix>;

/**
 * What an adapter's tensors make: LoRA (Hu et al. 2021) B·A, with LyCORIS' core between them (LoCon's `mid`) or AdaLoRA's
 * diagonal; LoHa (Hyeon-Woo et al. 2021) (w1_a·w1_b) ∘ (w2_a·w2_b); LoKr w1 ⊗ w2, each of them whole or a product.
 * Convolutions are unfolded to out × (in·k…), in some order of the columns, which changes no singular value.
 * @returns null when parts are missing; sizes that do not fit are for the caller to see by `sizeOf`
 */
export function changeOf(parts: Parts): Change | null {
  return loraOf(parts) ?? lohaOf(parts) ?? lokrOf(parts);
}

function loraOf(parts: Parts): Change | null {
  const down = parts.get("down"), up = parts.get("up"), mid = parts.get("mid"), diagonal = parts.get("diagonal");
  if (down === undefined || up === undefined || down.shape.length < 2 || up.shape.length < 2) return null;
  if (mid !== undefined) {
    const [rank = 0, inner = 0, ...window] = mid.shape;
    return {
      method: "LoRA", rank: inner, parts: ["up", "mid", "down"], shape: [up.shape[0]!, width(down), ...window],
      composite: { op: "product", factors: [lines(up), unfoldedCore(mid, rank, inner, window), repeated(lines(down), product(window))] },
    };
  }
  if (diagonal !== undefined) {
    return {
      method: "LoRA", rank: down.shape[0]!, parts: ["up", "diagonal", "down"], shape: [up.shape[0]!, ...down.shape.slice(1)],
      composite: { op: "product", factors: [lines(up), { op: "diagonal", leaf: leaf(diagonal, [diagonal.shape[0] ?? 1, width(diagonal)]) }, lines(down)] },
    };
  }
  if (isTransposed(down, up)) {
    return { method: "LoRA", rank: width(down), parts: ["down", "up"], shape: [down.shape[0]!, width(up)], composite: { op: "product", factors: [lines(down), lines(up)] } };
  }
  return { method: "LoRA", rank: down.shape[0]!, parts: ["up", "down"], shape: [up.shape[0]!, ...down.shape.slice(1)], composite: { op: "product", factors: [lines(up), lines(down)] } };
}

/** MLX keeps lora_a (in, r) and lora_b (r, out); all others (r, in) and (out, r). Where both fit, the rank is the smaller. */
function isTransposed(down: Tensor, up: Tensor): boolean {
  if (down.shape.length !== 2 || up.shape.length !== 2 || width(down) !== up.shape[0]) return false;
  return width(up) !== down.shape[0] || width(down) < down.shape[0]!;
}

function lohaOf(parts: Parts): Change | null {
  const [a1, b1, a2, b2] = (["hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b"] as const).map((part) => parts.get(part));
  if (a1 === undefined || b1 === undefined || a2 === undefined || b2 === undefined) return null;
  const t1 = parts.get("hada_t1"), t2 = parts.get("hada_t2");
  if (t1 !== undefined && t2 !== undefined) {
    return {
      method: "LoHa", rank: b1.shape[0] ?? 1, parts: ["hada_t1", "hada_w1_a", "hada_w1_b", "hada_t2", "hada_w2_a", "hada_w2_b"],
      shape: [width(a1), width(b1), ...t1.shape.slice(2)], composite: { op: "hadamard", factors: [tucker(t1, a1, b1), tucker(t2, a2, b2)] },
    };
  }
  return {
    method: "LoHa", rank: b1.shape[0] ?? 1, parts: ["hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b"],
    shape: [a1.shape[0] ?? 1, ...b1.shape.slice(1)], composite: { op: "hadamard", factors: [pair(a1, b1), pair(a2, b2)] },
  };
}

function lokrOf(parts: Parts): Change | null {
  const first = lokrSide(parts, "lokr_w1"), second = lokrSide(parts, "lokr_w2");
  if (first === null || second === null) return null;
  return {
    method: "LoKr", rank: second.rank ?? first.rank, parts: [...first.parts, ...second.parts],
    shape: second.shape.map((size, index) => size * (first.shape[index] ?? 1)), composite: { op: "kronecker", factors: [first.expression, second.expression] },
  };
}

interface Side {
  readonly expression: Expression;
  readonly shape: readonly number[];
  readonly rank: number | null;
  readonly parts: readonly Part[];
}

function lokrSide(parts: Parts, name: "lokr_w1" | "lokr_w2"): Side | null {
  const whole = parts.get(name), a = parts.get(`${name}_a`), b = parts.get(`${name}_b`), core = name === "lokr_w2" ? parts.get("lokr_t2") : undefined;
  if (whole !== undefined) return { expression: lines(whole), shape: whole.shape, rank: null, parts: [name] };
  if (a === undefined || b === undefined) return null;
  const both: readonly Part[] = [`${name}_a`, `${name}_b`];
  if (core === undefined) return { expression: pair(a, b), shape: [a.shape[0] ?? 1, ...b.shape.slice(1)], rank: b.shape[0] ?? 1, parts: both };
  return { expression: tucker(core, a, b), shape: [width(a), width(b), ...core.shape.slice(2)], rank: b.shape[0] ?? 1, parts: ["lokr_t2", ...both] };
}

/** LyCORIS' rebuild of Σᵢⱼ t[i, j, k…]·a[i, p]·b[j, q]: aᵀ · t unfolded · (I ⊗ b). */
function tucker(core: Tensor, a: Tensor, b: Tensor): Expression {
  const [rank = 0, inner = 0, ...window] = core.shape;
  const across = { op: "matrix", leaf: leaf(a, [a.shape[0] ?? 1, width(a)], true) } as const;
  return { op: "product", factors: [across, unfoldedCore(core, rank, inner, window), repeated(lines(b), product(window))] };
}

/** A core (r, s, k…) as r × (k…·s): what stands to its right is repeated for each position of the kernel. */
function unfoldedCore(core: Tensor, rank: number, inner: number, window: readonly number[]): Expression {
  const positions = product(window);
  return { op: "matrix", leaf: { tensor: core, view: view([axis(rank, inner * positions)], [axis(positions, 1), axis(inner, positions)]) } };
}

/** I ⊗ F */
function repeated(factor: Expression, times: number): Expression {
  return times === 1 ? factor : { op: "kronecker", factors: [{ op: "identity", size: times }, factor] };
}

function pair(a: Tensor, b: Tensor): Expression {
  return { op: "product", factors: [lines(a), lines(b)] };
}

/** The first axis against all others. */
function lines(tensor: Tensor): Expression {
  return { op: "matrix", leaf: leaf(tensor, [tensor.shape[0] ?? 1, width(tensor)]) };
}

function leaf(tensor: Tensor, [rows, columns]: readonly [number, number], transposed = false): StoredMatrix {
  const down = axis(rows, columns), across = axis(columns, 1);
  return { tensor, view: transposed ? view([across], [down]) : view([down], [across]) };
}

/** Entries of a line: all axes but the first. */
function width(tensor: Tensor): number {
  return product(tensor.shape.slice(1));
}
