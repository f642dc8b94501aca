import { join } from "node:path";
import { createMessageConnection, IPCMessageReader, IPCMessageWriter, StreamMessageReader, StreamMessageWriter } from "vscode-jsonrpc/node";
import { parseEngineArguments } from "./engineArguments";
import { serveEngine } from "./server";
import { SHUTDOWN } from "./wire";

/** The engine process: JSON-RPC over the IPC channel of a fork, or over stdio without one. Ends with its client. */
const forked = process.send !== undefined;
const connection = forked
  ? createMessageConnection(new IPCMessageReader(process), new IPCMessageWriter(process))
  : createMessageConnection(new StreamMessageReader(process.stdin), new StreamMessageWriter(process.stdout));

const beside = (name: string): string => join(__dirname, name);
const stop = serveEngine(connection, {
  ...parseEngineArguments(process.argv.slice(2)),
  computeScript: beside("compute.js"), planningScript: beside("planning.js"), applyScript: beside("apply.js"), compareScript: beside("compare.js"), verifyScript: beside("verify.js"),
});

const end = (): void => {
  stop();
  process.exit(0);
};
connection.onNotification(SHUTDOWN, end);
connection.onClose(end);
// Ctrl+C in a terminal reaches the whole process group: the client decides.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", end);
process.on("disconnect", end);
connection.listen();
