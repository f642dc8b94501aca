/** How far a candidate's outputs are from the original's, over all inputs. */
export interface OutputComparison {
  readonly name: string;
  /** ‖y − ŷ‖ / ‖y‖ */
  readonly relativeError: number;
  readonly cosine: number;
  readonly largestDifference: number;
  /** Entries that are not finite in one of the two and not the same in the other; no other figure counts them. */
  readonly notFinite: number;
  /** Share of samples whose largest entry along the last axis is the same, or whose integer is; null where the output is no score. */
  readonly topOneAgreement: number | null;
  /** The same for the samples of each class that the original names, most samples first; null where there is no score, or too many classes. */
  readonly byClass: readonly ClassAgreement[] | null;
}

export interface ClassAgreement {
  /** Index of the entry. */
  readonly index: number;
  readonly samples: number;
  readonly agreement: number;
}

/** Of an output's entries: along the last axis one score for each class, or each the number of a class, or neither. */
export type Meaning = "scores" | "labels" | "values";

/** More are no classes but a vocabulary, of which each word has few samples. */
const MOST_CLASSES = 1024;

interface Agreed {
  readonly samples: number;
  readonly agreed: number;
}

interface Sums {
  difference: number;
  original: number;
  candidate: number;
  product: number;
  largest: number;
  notFinite: number;
  agreed: number;
  samples: number;
  classes: boolean;
  readonly byClass: Map<number, Agreed>;
}

/** Adds outputs up, a batch at a time. */
export class Comparison {
  private readonly sums = new Map<string, Sums>();

  /** @param shape of both outputs */
  add(name: string, shape: readonly number[], original: ArrayLike<number>, candidate: ArrayLike<number>, meaning: Meaning = "scores"): void {
    const isLabel = meaning === "labels";
    const sum = this.sums.get(name) ?? { difference: 0, original: 0, candidate: 0, product: 0, largest: 0, notFinite: 0, agreed: 0, samples: 0, classes: isLabel || (meaning === "scores" && shape.length >= 2), byClass: new Map<number, Agreed>() };
    for (let i = 0; i < original.length; i++) {
      const [y, z] = [original[i]!, candidate[i]!];
      if (!Number.isFinite(y) || !Number.isFinite(z)) {
        if (!Object.is(y, z)) sum.notFinite++;
        continue;
      }
      sum.difference += (y - z) ** 2;
      sum.original += y * y;
      sum.candidate += z * z;
      sum.product += y * z;
      sum.largest = Math.max(sum.largest, Math.abs(y - z));
    }
    const width = isLabel ? 1 : shape.at(-1) ?? 1;
    if (width < 2 && !isLabel) sum.classes = false;
    else for (let at = 0; at < original.length; at += width) {
      sum.samples++;
      const [top, other] = isLabel ? [original[at]!, candidate[at]!] : [largestOf(original, at, width), largestOf(candidate, at, width)];
      if (top === other) sum.agreed++;
      if (width > MOST_CLASSES || (!sum.byClass.has(top) && sum.byClass.size >= MOST_CLASSES)) continue;
      const own = sum.byClass.get(top) ?? { samples: 0, agreed: 0 };
      sum.byClass.set(top, { samples: own.samples + 1, agreed: own.agreed + Number(top === other) });
    }
    this.sums.set(name, sum);
  }

  get outputs(): OutputComparison[] {
    return [...this.sums].map(([name, sum]) => ({
      name,
      relativeError: sum.original === 0 ? (sum.difference === 0 ? 0 : Infinity) : Math.sqrt(sum.difference / sum.original),
      cosine: sum.original === 0 || sum.candidate === 0 ? Number(sum.original === sum.candidate) : sum.product / Math.sqrt(sum.original * sum.candidate),
      largestDifference: sum.largest,
      notFinite: sum.notFinite,
      topOneAgreement: sum.classes && sum.samples > 0 ? sum.agreed / sum.samples : null,
      byClass: !sum.classes || sum.byClass.size === 0 ? null : [...sum.byClass]
        .map(([index, { samples, agreed }]) => ({ index, samples, agreement: agreed / samples }))
        .sort((a, b) => b.samples - a.samples || a.index - b.index),
    }));
  }
}

function largestOf(values: ArrayLike<number>, at: number, width: number): number {
  let best = 0;
  for (let i = 1; i < width; i++) if (values[at + i]! > values[at + best]!) best = i;
  return best;
}

/** Value below which the share `part` of the times lies, between two of them as NumPy's `quantile`. */
export function quantile(times: readonly number[], part: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  const at = part * (sorted.length - 1), below = Math.floor(at);
  const [low = 0, high = low] = sorted.slice(below, below + 2);
  return low + (at - below) * (high - low);
}
