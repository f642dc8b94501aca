import { spawnSync } from "node:child_process";
import { chromium, type Browser } from "playwright-core";

/** No sandbox inside of containers, and nothing that calls home. */
const ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const NAMES = ["chromium", "chromium-browser", "google-chrome"];

export function launchBrowser(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM_PATH ?? NAMES.map((name) => spawnSync("which", [name], { encoding: "utf8" }).stdout.trim()).find((path) => path !== "");
  if (executablePath === undefined) throw new Error("No Chromium was found: install one, or set CHROMIUM_PATH.");
  return chromium.launch({ executablePath, args: ARGUMENTS });
}
