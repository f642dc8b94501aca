import { Fault } from "../shared/fault";
import { shapesOf, sideBySide } from "./sideBySide";
import type { ShapesRequest, VerifyRequest } from "./verification";

/** A process of its own: ONNX Runtime blocks its thread, and a native crash must not end who asked. */
process.on("SIGINT", () => undefined);
process.on("disconnect", () => process.exit(0));
process.on("message", (request: VerifyRequest | ShapesRequest) => {
  void ("shapesOf" in request ? shapesOf(request) : sideBySide(request)).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.(error instanceof Fault ? { fault: error.toPlain() } : { fault: new Fault("crashed", `Verification stopped: ${String(error)}.`, "This is a defect of RankLens: please report it.").toPlain() }),
  );
});
