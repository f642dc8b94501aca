import { isMainThread, Worker } from "node:worker_threads";
import { compareFault, compareModels, type CompareMessage, type CompareRequest } from "./compare";
import { watchParent } from "./parentWatch";

/** A compare process: one comparison, then it ends. Who forked it stays able to answer, and kills it to cancel. */
if (isMainThread) {
  new Worker(__filename, { workerData: process.ppid }).unref();
  process.on("SIGINT", () => undefined);
  process.on("disconnect", () => process.exit(0));
  const send = (message: CompareMessage): void => { process.send?.(message); };
  process.on("message", (request: CompareRequest) => {
    void compareModels(request, send).then((comparison) => send({ type: "compared", comparison }), (error: unknown) => send({ type: "fault", fault: compareFault(error) }));
  });
} else {
  watchParent();
}
