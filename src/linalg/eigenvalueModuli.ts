import { francisStep, type Shift } from "./francisStep";

/** Steps for each eigenvalue, all together (LAPACK's limit); two or three suffice as a rule. */
const STEPS_PER_EIGENVALUE = 30;
/** After so many steps without convergence the shift is replaced by an arbitrary one, to break a cycle. */
const EXCEPTIONAL_EVERY = 10;

/**
 * |λ| of all eigenvalues of an upper Hessenberg matrix, in no order, by the double-shift QR iteration
 * (Francis 1961; Golub & Van Loan §7.5; EISPACK's hqr). About 8n³ operations.
 * @param h n × n, row-major, zero below the subdiagonal; overwritten
 * @throws Error when the iteration does not converge
 */
export function eigenvalueModuli(h: Float64Array, n: number): Float64Array {
  const moduli = new Float64Array(n);
  const negligible = Number.EPSILON * h.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  let last = n - 1;
  let left = STEPS_PER_EIGENVALUE * n;
  let steps = 0;
  /** What exceptional shifts have taken from the diagonal. */
  let shifted = 0;
  while (last >= 0) {
    const first = startOfBlock(h, n, last, negligible);
    if (first === last) {
      moduli[last] = Math.abs(h[last * n + last]! + shifted);
      last--;
      steps = 0;
    } else if (first === last - 1) {
      [moduli[last - 1], moduli[last]] = moduliOfPair(h, n, last, shifted);
      last -= 2;
      steps = 0;
    } else {
      if (left-- === 0) throw new Error(`the QR iteration on a Hessenberg matrix of order ${n} does not converge`);
      let shift = lastPair(h, n, last);
      if (steps > 0 && steps % EXCEPTIONAL_EVERY === 0) {
        shifted += shift.x;
        for (let i = 0; i <= last; i++) h[i * n + i]! -= shift.x;
        shift = exceptionalShift(h, n, last);
      }
      steps++;
      francisStep(h, n, first, last, shift);
    }
  }
  return moduli;
}

/**
 * Goes up from `last` to the next negligible subdiagonal entry, which becomes zero. What is negligible beside the whole
 * matrix counts too: the reduction has already changed it by as much, and tiny eigenvalues would not converge.
 */
function startOfBlock(h: Float64Array, n: number, last: number, negligible: number): number {
  for (let l = last; l > 0; l--) {
    const around = Math.abs(h[(l - 1) * n + l - 1]!) + Math.abs(h[l * n + l]!);
    if (Math.abs(h[l * n + l - 1]!) > Math.max(negligible, Number.EPSILON * around)) continue;
    h[l * n + l - 1] = 0;
    return l;
  }
  return 0;
}

/** The last 2 × 2 block as a shift: both its eigenvalues at once, through their sum and product. */
function lastPair(h: Float64Array, n: number, last: number): Shift {
  const p = last * n + last;
  return { x: h[p]!, y: h[p - n - 1]!, w: h[p - 1]! * h[p - n]! };
}

function exceptionalShift(h: Float64Array, n: number, last: number): Shift {
  const size = Math.abs(h[last * n + last - 1]!) + Math.abs(h[(last - 1) * n + last - 2]!);
  return { x: 0.75 * size, y: 0.75 * size, w: -0.4375 * size * size };
}

/** |λ| of both eigenvalues of the 2 × 2 block that ends at `last`. */
function moduliOfPair(h: Float64Array, n: number, last: number, shifted: number): [number, number] {
  const { x, y, w } = lastPair(h, n, last);
  const half = (y - x) / 2;
  const discriminant = half * half + w;
  const root = Math.sqrt(Math.abs(discriminant));
  const base = x + shifted;
  if (discriminant < 0) {
    const modulus = Math.hypot(base + half, root);
    return [modulus, modulus];
  }
  // The larger of ±root by the sign of half, the other by the product: no cancellation.
  const far = half + (half >= 0 ? root : -root);
  return [Math.abs(base + far), Math.abs(far === 0 ? base : base - w / far)];
}
