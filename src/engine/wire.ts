import { NotificationType, NotificationType0, RequestType, RequestType0 } from "vscode-jsonrpc/node";
import type { PlainFault } from "../shared/fault";
import type { EngineMethod, EngineMethods, EngineNotifications } from "../shared/protocol";

/** JSON-RPC error code of a `Fault`; the error's data is the `PlainFault`. Outside of the reserved range. */
export const FAULT_ERROR = 1;
/** JSON-RPC error code of `Cancelled`. */
export const CANCELLED_ERROR = 2;

type Requests = { readonly [M in EngineMethod]: RequestType<EngineMethods[M]["params"], EngineMethods[M]["result"], PlainFault> };

const request = <M extends EngineMethod>(method: M): Requests[M] => new RequestType(method) as Requests[M];

/** Both ends take their types from here: a method without a line does not compile. */
export const REQUESTS: Requests = {
  open: request("open"),
  analyze: request("analyze"),
  rows: request("rows"),
  spectrum: request("spectrum"),
  map: request("map"),
  skipped: request("skipped"),
  export: request("export"),
  badge: request("badge"),
  forget: request("forget"),
  planning: request("planning"),
  ready: request("ready"),
  propose: request("propose"),
  curve: request("curve"),
  ladders: request("ladders"),
  plan: request("plan"),
  apply: request("apply"),
  verify: request("verify"),
  readConfig: request("readConfig"),
  completeConfig: request("completeConfig"),
  addRecipe: request("addRecipe"),
  planConfig: request("planConfig"),
  ranksFromDifference: request("ranksFromDifference"),
};

export const NOTIFICATIONS = {
  progress: new NotificationType<EngineNotifications["progress"]>("progress"),
  work: new NotificationType<EngineNotifications["work"]>("work"),
  log: new NotificationType<EngineNotifications["log"]>("log"),
};

/** Sign of life, asked for while requests are pending. */
export const PING = new RequestType0<null, void>("ping");
/** Asks the engine to end; it kills its compute processes and exits. */
export const SHUTDOWN = new NotificationType0("shutdown");
