// npm start [-- MODEL]: a real VS Code with the extension as it is in this folder, on the sample workspace or on MODEL's folder.
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join, resolve } from "node:path";
import { installPackages, must, root, which } from "./setup.mjs";
import { ensureTools, packagesOf } from "./systemTools.mjs";
import { home, installVscodeWeb, launchVscodeWeb, useExtensionFolders } from "./vscodeWeb.mjs";

/** The same address every time, while it is free: the browser keeps a window's layout by address. */
const PORT = 8420;
const PARENT_CHECK_MS = 500;
const developed = [root, join(root, "scripts", "openOnStart")];

const { folder, model } = whatToOpen(process.argv.slice(2));
installPackages();
console.log("Building the extension …");
must("node", ["scripts/build.mjs"]);
const env = model === undefined ? {} : { RANKLENS_START_MODEL: model, RANKLENS_START_ID: String(Date.now()) };
const code = desktopCode();
if (code === undefined) await openInBrowser();
else openOnDesktop(code);

/** The folder to open and, when a model was named, its file. Ends the program when there is no such thing. */
function whatToOpen(args) {
  if (args.length > 1) fail("Name one model: npm start -- MODEL");
  if (args.length === 0) return { folder: sampleWorkspace() };
  // npm runs this in the repository; a relative path is meant from where the person stands.
  const path = resolve(process.env.INIT_CWD ?? process.cwd(), args[0]);
  if (!existsSync(path)) fail(`There is no file ${path}. Name a model file: npm start -- path/to/model.onnx`);
  if (statSync(path).isDirectory()) return { folder: path };
  return { folder: dirname(path), model: path };
}

/** A copy, so that what is written beside the sample models (exports, factorized models) leaves the repository clean. */
function sampleWorkspace() {
  const copy = join(home, "sample");
  cpSync(join(root, "test", "models", "workspace"), copy, { recursive: true });
  return copy;
}

/** The `code` command of a desktop VS Code that can show a window here, or undefined. */
function desktopCode() {
  const { DISPLAY, WAYLAND_DISPLAY, WSL_DISTRO_NAME } = process.env;
  // Under WSL `code` is the one of Windows, which does not see this folder as its own.
  if (process.platform === "linux" && (WSL_DISTRO_NAME || !(DISPLAY || WAYLAND_DISPLAY))) return undefined;
  const installed = "/Applications/Visual Studio Code.app/Contents/Resources/app/bin/code";
  return which("code", "code-insiders") ?? (existsSync(installed) ? installed : undefined);
}

/** Ends with the window. A profile of its own keeps the person's VS Code as it is. */
function openOnDesktop(code) {
  const profile = join(home, "desktop");
  writeSettings(profile);
  const args = [...developed.map((path) => `--extensionDevelopmentPath=${path}`), `--user-data-dir=${profile}`, "--disable-workspace-trust", "--new-window", "--wait", folder];
  console.log(`Opening ${folder} in VS Code. Close its window to end.`);
  // Windows starts .cmd files by a shell, which splits at spaces.
  const windows = process.platform === "win32";
  const child = spawn(windows ? `"${code}"` : code, windows ? args.map((arg) => `"${arg}"`) : args, { env: { ...process.env, ...env }, stdio: "inherit", shell: windows });
  child.once("error", (error) => fail(`VS Code did not start: ${error.message}`));
  child.once("exit", (status) => process.exit(status ?? 0));
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(name, () => child.kill("SIGTERM"));
}

async function openInBrowser() {
  // Without a compiler VS Code runs all the same, with empty logs.
  if (ensureTools(["compiler"]).length > 0) console.log(`To see logs in VS Code's Output panel, install ${packagesOf("compiler")} and remove ${home}.`);
  const userData = join(home, "user-data");
  const extensions = join(home, "extensions");
  try {
    const entry = installVscodeWeb();
    useExtensionFolders(developed, extensions);
    writeSettings(userData);
    console.log("Starting VS Code …");
    const server = await launchVscodeWeb({ entry, userData, extensions, folder, port: await freePort(PORT), env });
    let stopping = false;
    const stop = () => {
      if (stopping) return;
      stopping = true;
      console.log("\nStopping VS Code …");
      void server.stop().then(() => process.exit(0));
    };
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(name, stop);
    // A SIGTERM to npm ends npm and the shell between it and this program, which hears nothing of it.
    const parent = process.ppid;
    setInterval(() => process.ppid !== parent && stop(), PARENT_CHECK_MS).unref();
    console.log(`\nVS Code with RankLens: ${server.url}\nOpen this address in a browser on this machine. Ctrl+C stops it.`);
    await server.ended;
    if (!stopping) fail("VS Code ended by itself.");
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error));
  }
}

/** Quiet first steps, once: afterwards the settings of this profile are the person's. */
function writeSettings(profile) {
  const file = join(profile, "User", "settings.json");
  const quiet = { "workbench.startupEditor": "none", "telemetry.telemetryLevel": "off", "update.mode": "none", "extensions.ignoreRecommendations": true };
  if (existsSync(file)) return;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(quiet, null, 2));
}

/** @returns the preferred port, or 0 for any free one when it is taken */
function freePort(preferred) {
  return new Promise((resolvePort) => {
    const probe = createServer();
    probe.once("error", () => resolvePort(0));
    probe.listen(preferred, "127.0.0.1", () => probe.close(() => resolvePort(preferred)));
  });
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
