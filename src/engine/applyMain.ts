import { isMainThread, Worker } from "node:worker_threads";
import { applyFault, applyPlan, type ApplyMessage, type ApplyRequest } from "./apply";
import { watchParent } from "./parentWatch";

/**
 * An apply process: one plan, then it ends. Singular vectors block its event loop and native code may crash it; who forked it
 * stays able to answer, and kills it to cancel.
 */
if (isMainThread) {
  new Worker(__filename, { workerData: process.ppid }).unref();
  process.on("SIGINT", () => undefined);
  process.on("disconnect", () => process.exit(0));
  const send = (message: ApplyMessage): void => { process.send?.(message); };
  process.on("message", (request: ApplyRequest) => {
    void applyPlan(request, send).then((paths) => send({ type: "written", paths }), (error: unknown) => send({ type: "fault", fault: applyFault(error) }));
  });
} else {
  watchParent();
}
