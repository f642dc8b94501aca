import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { temporaryFolder } from "./modelFiles";
import { buildPrograms, type Programs } from "./programs";
import { watchEngine, type WatchedEngine } from "./watchedEngine";

export interface EnginesOfTest {
  /** The bundled programs, built once for the file of tests. */
  readonly programs: Programs;
  /** A folder for the files of one test. */
  readonly path: string;
  /** An engine that ends with the test. */
  start(options?: Parameters<typeof watchEngine>[1]): WatchedEngine;
}

/** Registers the set-up of a file of tests on real engine processes: each test has a folder of its own and leaves no process. */
export function enginesOfTest(): EnginesOfTest {
  let programs: Programs | undefined;
  let folder: ReturnType<typeof temporaryFolder> | undefined;
  const engines: WatchedEngine[] = [];
  const built = (): Programs => {
    if (programs === undefined) throw new Error("The programs are not built yet.");
    return programs;
  };
  beforeAll(async () => { programs = await buildPrograms(); });
  afterAll(() => programs?.remove());
  beforeEach(() => { folder = temporaryFolder(); });
  afterEach(async () => {
    await Promise.all(engines.splice(0).map(({ client }) => client.dispose()));
    folder?.remove();
  });
  return {
    get programs() { return built(); },
    get path() {
      if (folder === undefined) throw new Error("There is a folder in a test alone.");
      return folder.path;
    },
    start: (options = {}) => {
      const engine = watchEngine(built().engine, options);
      engines.push(engine);
      return engine;
    },
  };
}
