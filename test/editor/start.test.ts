import { spawn, type ChildProcess } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Browser } from "playwright-core";
import { launchBrowser } from "./support/browser";
import { root } from "./support/package";
import { descendants } from "./support/processes";
import { allMeasured, reportIn } from "./support/reportPage";
import { copySamples, makePlace } from "./support/workspace";

const START_MS = 200_000;

interface Started {
  readonly program: ChildProcess;
  output(): string;
  readonly ended: Promise<number | null>;
}

/** `npm start -- …` as npm runs it, on a machine without a screen unless the environment says otherwise. */
function start(args: readonly string[], changes: NodeJS.ProcessEnv = {}): Started {
  const env = { ...process.env, DISPLAY: "", WAYLAND_DISPLAY: "", ...changes };
  const program = spawn(process.execPath, [join(root, "scripts", "start.mjs"), ...args], { env, cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [program.stdout, program.stderr]) stream.on("data", (data) => (output += String(data)));
  return { program, output: () => output, ended: new Promise((resolve) => program.once("exit", resolve)) };
}

describe("npm start", () => {
  const place = makePlace();
  const model = join(place.folder, "digits_cnn.onnx");
  let browser: Browser;
  beforeAll(async () => {
    copySamples(place.folder);
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser.close();
    place.remove();
  });

  it("with a model opens its report, and ends without leaving a process behind", async () => {
    const started = start([model]);
    await expect.poll(() => started.output(), { timeout: START_MS }).toContain("Ctrl+C stops it.");
    const address = /http:\/\/\S+/.exec(started.output())![0];
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    await page.goto(address);
    await page.getByRole("tab", { name: "digits_cnn.onnx" }).waitFor({ timeout: START_MS });
    await allMeasured(reportIn(page));
    await page.screenshot({ path: join(root, "test-results", "editor", "start-1-model.png") });
    const all = descendants(started.program.pid!, "");
    expect(all.length).toBeGreaterThan(3);

    started.program.kill("SIGTERM");
    expect(await started.ended).toBe(0);
    expect(all.filter(isRunning)).toEqual([]);
    await page.close();
  });

  it("says so when there is no such model", async () => {
    const started = start([join(place.folder, "none.onnx")]);
    expect(await started.ended).toBe(1);
    expect(started.output()).toContain(`There is no file ${join(place.folder, "none.onnx")}.`);
  });

  it("takes the desktop's VS Code where there is one, and ends with its window", async () => {
    const bin = join(place.folder, "bin");
    const told = join(place.folder, "told.txt");
    mkdirSync(bin);
    writeFileSync(join(bin, "code"), `#!/bin/sh\nprintf '%s\\n' "$@" > '${told}'\n`);
    chmodSync(join(bin, "code"), 0o755);
    const started = start([model], { DISPLAY: ":0", PATH: `${bin}:${process.env.PATH}` });
    expect(await started.ended).toBe(0);
    const args = readFileSync(told, "utf8").trim().split("\n");
    expect(args).toEqual(expect.arrayContaining([`--extensionDevelopmentPath=${root}`, "--wait", place.folder]));
  });
});

function isRunning(pid: number): boolean {
  return descendants(pid, "").includes(pid);
}
