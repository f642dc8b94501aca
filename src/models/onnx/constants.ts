import type { Value } from "./graph";
import type { TensorRecord } from "./tensorProto";

/** Operators that leave a scale or a shape what it is. */
const UNCHANGING: readonly string[] = ["Identity", "Cast", "Reshape", "Squeeze", "Unsqueeze", "Flatten"];
/** Longest chain of them that is followed; cycles end here too. */
const MOST_STEPS = 16;

/** The stored tensor that a value is, directly or by operators that only rename it; null when it is computed. */
export function constantOf(value: Value | null | undefined): TensorRecord | null {
  let at = value ?? null;
  for (let step = 0; at !== null && step < MOST_STEPS; step++) {
    if (at.tensor !== null) return at.tensor.record;
    const producer: Value["producer"] = at.producer;
    if (producer === null || producer.domain !== "" || !UNCHANGING.includes(producer.opType)) return null;
    at = producer.inputs[0] ?? null;
  }
  return null;
}

/** The values of a short integer tensor (a shape, axes); null when they are computed. */
export function constantIntegers(value: Value | null | undefined): readonly number[] | null {
  return constantOf(value)?.integers ?? null;
}
