import { afterAll, afterEach, beforeAll } from "vitest";
import { VscodeWindow } from "./vscodeWindow";

/** The first install of VS Code in a browser compiles a module; a start of it takes seconds. */
const OPEN_MS = 240_000;

/**
 * One window for the tests of a journey, which follow each other in it as a person's steps do.
 * @param prepare fills the folder that the window opens
 */
export function journey(name: string, prepare: (folder: string) => void): () => VscodeWindow {
  let window: VscodeWindow | undefined;
  beforeAll(async () => {
    window = await VscodeWindow.open(name, prepare);
  }, OPEN_MS);
  afterEach(async ({ task }) => {
    if (task.result?.state === "fail") await window?.shot("failed");
  });
  afterAll(() => window?.close());
  return () => {
    if (window === undefined) throw new Error("The window did not open.");
    return window;
  };
}
