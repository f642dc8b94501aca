import { isMainThread, Worker } from "node:worker_threads";
import { applyFault, applyPlan, type ApplyMessage, type ApplyRequest } from "./apply";
import { serveFactors } from "./factorMaking";
import { FACTORS_ARGUMENT } from "./factorWorkers";
import { watchParent } from "./parentWatch";

/**
 * An apply process: one plan, then it ends; or one of those that compute factors for it. Singular vectors block an event loop
 * and native code may crash its process; who forked the first stays able to answer, and kills it to cancel.
 */
if (isMainThread) {
  new Worker(__filename, { workerData: process.ppid }).unref();
  process.on("SIGINT", () => undefined);
  process.on("disconnect", () => process.exit(0));
  if (process.argv.includes(FACTORS_ARGUMENT)) serveFactors(process);
  else serveApply();
} else {
  watchParent();
}

function serveApply(): void {
  const send = (message: ApplyMessage): void => { process.send?.(message); };
  process.on("message", (request: ApplyRequest) => {
    void applyPlan(__filename, request, send).then((paths) => send({ type: "written", paths }), (error: unknown) => send({ type: "fault", fault: applyFault(error) }));
  });
}
