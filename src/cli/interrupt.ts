import { Cancelled } from "../shared/fault";

/** Runs with Ctrl+C as a cancel. null: cancelled. */
export async function whileInterruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T | null> {
  const stop = new AbortController();
  const interrupt = (): void => stop.abort();
  process.once("SIGINT", interrupt);
  process.once("SIGTERM", interrupt);
  try {
    return await work(stop.signal);
  } catch (error) {
    if (error instanceof Cancelled) return null;
    throw error;
  } finally {
    process.removeListener("SIGINT", interrupt);
    process.removeListener("SIGTERM", interrupt);
  }
}

/**
 * Between pieces of work that are cancelled by it, Ctrl+C ends the process as its last line does, so that what goes with the
 * process goes: temporary files.
 * @param interrupted says so, and gives the exit code
 * @returns ends that
 */
export function leaveOnInterrupt(interrupted: () => number): () => void {
  const signals = ["SIGINT", "SIGTERM"] as const;
  const leave = (signal: NodeJS.Signals): void => {
    if (process.listenerCount(signal) === 1) process.exit(interrupted());
  };
  for (const signal of signals) process.on(signal, leave);
  return () => { for (const signal of signals) process.removeListener(signal, leave); };
}
