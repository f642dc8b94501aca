import type { Candidate, CandidateScheme } from "./candidates";
import { ladderOf, rungAt, type Rung } from "./ladder";
import { ONE_POSITION, type Positions } from "./scheme";

/** Where a candidate is applied; at one position where that is not known. */
export function positionsOf({ positions = ONE_POSITION }: Candidate): Positions {
  return positions;
}

/** Every rank of one of a candidate's schemes, smallest first. @see ladderOf */
export function candidateLadder({ target }: Candidate, each: CandidateScheme, positions: Positions, most = Infinity): Rung[] {
  return ladderOf(target, each.scheme, each.spectra, positions, most).map((rung) => onData(rung, each));
}

export function candidateRung({ target }: Candidate, each: CandidateScheme, ranks: readonly number[], positions: Positions): Rung {
  return onData(rungAt(target, each.scheme, ranks, each.spectra, positions), each);
}

/** Where it is known what is lost of the outputs on data, that counts and not what is lost of the weight. */
function onData(rung: Rung, { outputError }: CandidateScheme): Rung {
  if (outputError === undefined) return rung;
  const error2 = Math.min(1, outputError(rung.error2));
  return { ...rung, error2, spectralError: rung.error2 === 0 ? rung.spectralError : rung.spectralError * Math.sqrt(error2 / rung.error2) };
}
