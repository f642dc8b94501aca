import { isMainThread, Worker } from "node:worker_threads";
import { serveCompute } from "./compute";
import { watchParent } from "./parentWatch";

/**
 * A compute process: one layer at a time, for the engine or the terminal that forked it. It blocks its event
 * loop for as long as a matrix takes, so a second thread sees to it that it never outlives its parent.
 */
if (isMainThread) {
  new Worker(__filename, { workerData: process.ppid }).unref();
  // Ctrl+C reaches the whole process group; the parent decides what becomes of the work.
  process.on("SIGINT", () => undefined);
  process.on("disconnect", () => process.exit(0));
  serveCompute(process);
} else {
  watchParent();
}
