/** The reflectors of the first stage that lead from the band's columns back to the matrix's short side. */
import type { PanelListener } from "./bandReduction";
import type { Block, Floats, Gemm } from "./gemm";
import { transposeInto } from "./transposeInto";
import { triangularFactor } from "./triangularFactor";

/** Panels that are applied together: products with fewer vectors are slower, with more they do more. */
const TOGETHER = 2;

interface Panel {
  readonly first: number;
  /** b × (order − first), reflectors as rows. */
  readonly reflectors: Floats;
  readonly taus: Floats;
}

export class ReflectorPanels {
  private readonly panels: Panel[] = [];

  /** @param order of the short side @param b reflectors of a panel */
  constructor(private readonly order: number, private readonly b: number) {}

  readonly add: PanelListener = (first, { columns, data }, offset, taus) => {
    const length = this.order - first;
    const reflectors = new Float32Array(this.b * length);
    for (let i = 0; i < this.b; i++) reflectors.set(data.subarray(i * columns + offset, i * columns + offset + length), i * length);
    this.panels.push({ first, reflectors, taus: taus.slice() });
  };

  /** The columns of y (order × any, row-major; more rows are left as they are) ← H₀ H₁ … y, H = I − V T Vᵀ for each panel. */
  apply({ columns, data }: Block, gemm: Gemm): void {
    const { panels, order, b } = this;
    const most = TOGETHER * b;
    const [gram, factor, turnedFactor] = [new Float32Array(most * most), new Float32Array(most * most), new Float32Array(most * most)];
    const [products, weighted] = [new Float32Array(most * columns), new Float32Array(most * columns)];
    const [together, standing] = [new Float32Array(most * order), new Float32Array(most * order)];
    for (let end = panels.length; end > 0; ) {
      const start = Math.floor((end - 1) / TOGETHER) * TOGETHER;
      const { reflectors, taus, first } = joined(panels.slice(start, end), order, b, together);
      const [count, length] = [taus.length, order - first];
      const v = block(reflectors, count, length);
      gemm.multiplyTransB(v, v, block(gram, count, count));
      triangularFactor(gram, taus, count, factor);
      transposeInto(factor, count, count, turnedFactor);
      const y = block(data.subarray(first * columns, order * columns), length, columns);
      gemm.multiply(v, y, block(products, count, columns));
      gemm.multiply(block(turnedFactor, count, count), block(products, count, columns), block(weighted, count, columns));
      transposeInto(reflectors, count, length, standing);
      gemm.subtract(block(standing, length, count), block(weighted, count, columns), y);
      end = start;
    }
  }
}

/** Neighbouring panels as one, which starts where the first does, in the storage given. */
function joined(panels: readonly Panel[], order: number, b: number, reflectors: Float32Array): Panel {
  const [only] = panels;
  if (panels.length === 1 && only !== undefined) return only;
  const first = panels[0]!.first;
  const length = order - first;
  reflectors.fill(0, 0, panels.length * b * length);
  const taus = new Float32Array(panels.length * b);
  panels.forEach((panel, p) => {
    const own = order - panel.first;
    for (let i = 0; i < b; i++) reflectors.set(panel.reflectors.subarray(i * own, (i + 1) * own), (p * b + i) * length + length - own);
    taus.set(panel.taus, p * b);
  });
  return { first, reflectors, taus };
}

function block(data: Floats, rows: number, columns: number): Block {
  return { rows, columns, data };
}
