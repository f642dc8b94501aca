import { Fault } from "../shared/fault";
import { calibrate } from "./calibrate";
import { sensitivities } from "./sensitivities";
import { latencies } from "./latencies";
import { peakMemory } from "./memory";
import { shapesOf, sideBySide } from "./sideBySide";
import type { VerifyMessage } from "./fork";
import { compareWeights } from "./weights";

/** A process of its own: ONNX Runtime blocks its thread, and a native crash must not end who asked. */
process.on("SIGINT", () => undefined);
process.on("disconnect", () => process.exit(0));
process.on("message", (message: VerifyMessage) => {
  void answer(message).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.(error instanceof Fault ? { fault: error.toPlain() } : { fault: new Fault("crashed", `Verification stopped: ${String(error)}.`, "This is a defect of RankLens: please report it.").toPlain() }),
  );
});

function answer(message: VerifyMessage): Promise<unknown> {
  switch (message.of) {
    case "outputs": return sideBySide(message.request);
    case "moments": return calibrate(message.request, (done, total, layer) => process.send?.({ done, total, layer }));
    case "sensitivities": return sensitivities(message.request, (done, total, layer) => process.send?.({ done, total, layer }));
    case "memory": return peakMemory(message.request);
    case "latencies": return latencies(message.request, (done) => process.send?.({ done }));
    case "weights": return compareWeights(message.request);
    case "shapes": return shapesOf(message.path, message.nodes);
  }
}
