import { workerData } from "node:worker_threads";
import { isRunning } from "../factorize/running";

/** How long a compute process may outlive a parent that was killed. */
const INTERVAL_MS = 200;

/**
 * Runs in a thread of its own: kills the process once its parent is gone. The kernel gives an orphan another
 * parent (POSIX); on Windows the parent's id stays and the process behind it is missing.
 */
export function watchParent(): void {
  const parent: unknown = workerData;
  setInterval(() => {
    if (typeof parent === "number" && process.ppid === parent && isRunning(parent)) return;
    process.kill(process.pid, "SIGKILL");
  }, INTERVAL_MS);
}
