import { Fault } from "../shared/fault";
import { sideBySide } from "./sideBySide";
import type { VerifyMessage } from "./fork";
import { compareWeights } from "./weights";

/** A process of its own: ONNX Runtime blocks its thread, and a native crash must not end who asked. */
process.on("SIGINT", () => undefined);
process.on("disconnect", () => process.exit(0));
process.on("message", ({ of, request }: VerifyMessage) => {
  void (of === "outputs" ? sideBySide(request) : compareWeights(request)).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.(error instanceof Fault ? { fault: error.toPlain() } : { fault: new Fault("crashed", `Verification stopped: ${String(error)}.`, "This is a defect of RankLens: please report it.").toPlain() }),
  );
});
