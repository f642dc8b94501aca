import { Fault } from "../shared/fault";
import { layerOutputs, type LayersRequest } from "./layerOutputs";
import { sideBySide } from "./sideBySide";
import type { VerifyRequest } from "./verification";

/** A process of its own: ONNX Runtime blocks its thread, and a native crash must not end who asked. */
process.on("SIGINT", () => undefined);
process.on("disconnect", () => process.exit(0));
process.on("message", (request: VerifyRequest | LayersRequest) => {
  const work = "plan" in request ? layerOutputs(request) : sideBySide(request);
  void work.then(
    (result: unknown) => process.send?.({ result }),
    (error: unknown) => process.send?.(error instanceof Fault ? { fault: error.toPlain() } : { fault: new Fault("crashed", `Verification stopped: ${String(error)}.`, "This is a defect of RankLens: please report it.").toPlain() }),
  );
});
