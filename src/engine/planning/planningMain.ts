import { isMainThread, Worker } from "node:worker_threads";
import { watchParent } from "../parentWatch";
import { servePlanning } from "./servePlanning";

/**
 * The planning process: holds candidates and ladders of the wizard's model, so that the engine never computes. Ends with the
 * engine.
 */
if (isMainThread) {
  new Worker(__filename, { workerData: process.ppid }).unref();
  process.on("SIGINT", () => undefined);
  process.on("disconnect", () => process.exit(0));
  servePlanning(process);
} else {
  watchParent();
}
