import type { Composite } from "../linalg/composite";
import { coreOf, kroneckerSpectrum, withinRank } from "../linalg/compositeCore";
import type { Matrix } from "../linalg/matrix";
import type { RatedSolver } from "../linalg/singularValues";
import { Fault } from "../shared/fault";
import { checkedSpectrum, ofSpectrum, type CheckedSpectrum } from "./measure";
import type { MatrixFacts, Measured } from "./spectrum";

/**
 * All measures of scale · W, with W in factors: as of the matrix itself, but that K is the largest rank that the factors
 * can give. `ms` is left 0.
 * @param facts rows and columns are those of W
 * @throws Fault not-finite when the product is
 */
export async function measureComposite(solver: RatedSolver, composite: Composite<Matrix>, scale: number, facts: MatrixFacts): Promise<Measured> {
  const { singularValues, frobeniusNorm, accuracy } = await spectrumOf(solver, composite);
  const size = Math.abs(scale);
  for (let i = 0; i < singularValues.length; i++) singularValues[i]! *= size;
  if (!Number.isFinite(frobeniusNorm * size) || !singularValues.every(Number.isFinite)) throw outOfRange();
  return { singularValues, measures: { ...ofSpectrum(singularValues, facts, accuracy), frobeniusNorm: frobeniusNorm * size, spectralRadius: null } };
}

async function spectrumOf(solver: RatedSolver, composite: Composite<Matrix>): Promise<CheckedSpectrum> {
  if (composite.op === "kronecker") {
    const a = await spectrumOf(solver, composite.factors[0]), b = await spectrumOf(solver, composite.factors[1]);
    return { singularValues: kroneckerSpectrum(a.singularValues, b.singularValues), frobeniusNorm: a.frobeniusNorm * b.frobeniusNorm, accuracy: a.accuracy + b.accuracy };
  }
  const core = coreOf(composite);
  if (!core.data.every(Number.isFinite)) throw outOfRange();
  const { singularValues, frobeniusNorm, accuracy } = await checkedSpectrum(solver, core);
  return { singularValues: withinRank(singularValues, composite), frobeniusNorm, accuracy };
}

function outOfRange(): Fault {
  return new Fault("not-finite", "The factors are so large that their product, with its scale, is not a finite number.", "Rescale the weights and analyze the model again.");
}
