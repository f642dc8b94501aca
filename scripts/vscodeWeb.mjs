// VS Code served to a browser (code-server): what `npm start` opens where there is no desktop VS Code, and what the
// journey tests drive. It stands in a folder of its own, apart from the extension's dependencies.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { root } from "./setup.mjs";

/** Everything that VS Code in a browser and `npm start` keep; git ignores it. */
export const home = join(root, ".vscode-web");
/** package.json and the lock file that pin it. */
const pins = join(root, "scripts", "vscodeWeb");
const PREFIX = "code-server-";
/** The server answers within a second; a loaded machine may take far longer, a broken one never does. */
const START_MS = 60_000;
/** Extension host and engine end within a second of SIGTERM; what is still there then is killed. */
const STOP_MS = 5_000;
/**
 * Native modules without a binary in their package. Code runs without them: without the first the output channels
 * stay empty, without the second an extension host outlives a killed server by a few seconds.
 */
const OPTIONAL_NATIVE = ["@vscode/spdlog", "native-watchdog"];

/**
 * Installs the pinned code-server unless it stands already. An interrupted install leaves only a folder that the next one removes.
 * @param {{ log?: (line: string) => void }} options
 * @returns the program to run with Node
 */
export function installVscodeWeb({ log = console.log } = {}) {
  // Compiled modules are tied to the version of Node's binary interface.
  const stamp = createHash("sha256").update(readFileSync(join(pins, "package.json"))).update(readFileSync(join(pins, "package-lock.json")));
  const name = `${PREFIX}${stamp.update(process.versions.modules).digest("hex").slice(0, 12)}`;
  const entry = join(home, name, "node_modules", "code-server", "out", "node", "entry.js");
  if (existsSync(entry)) return entry;

  log("Installing VS Code for the browser …");
  mkdirSync(home, { recursive: true });
  const staging = join(home, `installing-${process.pid}`);
  removeOldInstalls(name);
  mkdirSync(staging);
  for (const file of ["package.json", "package-lock.json"]) copyFileSync(join(pins, file), join(staging, file));
  const installed = npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], staging, "inherit");
  if (!installed) {
    rmSync(staging, { recursive: true, force: true });
    throw new Error("VS Code for the browser could not be installed: see npm's message above, then run the command again.");
  }
  if (!npm(["rebuild", ...OPTIONAL_NATIVE, "--loglevel=silent"], staging, "ignore")) {
    log("No C++ compiler with Node's headers: VS Code for the browser will show no logs.");
  }
  // Code looks for its modules beside itself; here they are those of the install, one level of links away.
  const code = join(staging, "node_modules", "code-server", "lib", "vscode");
  const kind = process.platform === "win32" ? "junction" : "dir";
  for (const link of ["node_modules", "node_modules.asar"]) {
    symlinkSync(kind === "junction" ? join(home, name, "node_modules") : join("..", "..", ".."), join(code, link), kind);
  }
  try {
    renameSync(staging, join(home, name));
  } catch (error) {
    // Another install was faster.
    rmSync(staging, { recursive: true, force: true });
    if (!existsSync(entry)) throw error;
  }
  return entry;
}

/**
 * Starts the server on this machine's loopback address, without a password.
 * @param {{ entry: string, userData: string, extensions: string, folder: string, port?: number, env?: Record<string, string>, log?: (text: string) => void }} options
 * port 0 takes a free one; env reaches the extensions
 * @returns {Promise<{ url: string, pid: number, ended: Promise<void>, stop: () => Promise<void> }>} `stop` resolves when no process of it is left
 */
export async function launchVscodeWeb({ entry, userData, extensions, folder, port = 0, env = {}, log = () => {} }) {
  const args = ["--bind-addr", `127.0.0.1:${port}`, "--auth", "none", "--disable-workspace-trust", "--disable-getting-started-override", "--ignore-last-opened"];
  // A group of its own: the whole tree of extension hosts and engines can be stopped at once, and Ctrl+C reaches only us.
  const child = spawn(process.execPath, [entry, ...args, ...common(userData, extensions), folder], {
    env: { ...environment(userData), ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: process.platform !== "win32",
  });
  const ended = new Promise((resolve) => child.once("exit", () => resolve()));
  const stop = () => stopTree(child, ended);
  let output = "";
  try {
    const address = await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("did not answer in time")), START_MS);
      const read = (data) => {
        const text = String(data);
        log(text);
        output += text;
        const found = /HTTP server listening on (http:\/\/[^\s/]+)/.exec(output)?.[1];
        if (found === undefined) return;
        clearTimeout(timer);
        resolve(found);
      };
      child.stdout.on("data", read);
      child.stderr.on("data", read);
      child.once("error", reject);
      child.once("exit", (code) => reject(new Error(`ended with code ${code}`)));
    });
    return { url: `${address}/?folder=${encodeURIComponent(folder)}`, pid: child.pid, ended, stop };
  } catch (error) {
    await stop();
    throw new Error(`VS Code for the browser ${error.message}:\n${output}`);
  }
}

/** Installs a VSIX as `code --install-extension` does, and says what went wrong otherwise. */
export function installVsix({ entry, vsix, userData, extensions }) {
  mkdirSync(extensions, { recursive: true });
  const { status, stdout, stderr } = spawnSync(process.execPath, [entry, "--install-extension", vsix, "--force", ...common(userData, extensions)], {
    env: environment(userData),
    encoding: "utf8",
  });
  if (status !== 0 || !/successfully installed/.test(stdout)) throw new Error(`${basename(vsix)} was not installed:\n${stdout}${stderr}`);
}

/** Lets Code load extensions from the folders where they are developed. */
export function useExtensionFolders(folders, extensions) {
  const entries = folders.map((folder) => {
    const { publisher, name, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    return { identifier: { id: `${publisher}.${name}` }, version, location: { $mid: 1, scheme: "file", path: folder }, metadata: { installedTimestamp: 0, source: "resource" } };
  });
  mkdirSync(extensions, { recursive: true });
  writeFileSync(join(extensions, "extensions.json"), JSON.stringify(entries));
}

const common = (userData, extensions) => [
  "--config", join(userData, "code-server.yaml"), "--user-data-dir", userData, "--extensions-dir", extensions, "--disable-telemetry", "--disable-update-check",
];

/** This process's environment without what would tie the server to another VS Code or to a test runner; its own files stay in its folder. */
function environment(userData) {
  const kept = Object.entries(process.env).filter(([key]) => !/^(VSCODE_|VITEST|ELECTRON_RUN_AS_NODE$|NODE_OPTIONS$|NODE_ENV$|PASSWORD$|HASHED_PASSWORD$|npm_)/i.test(key));
  return { ...Object.fromEntries(kept), XDG_DATA_HOME: join(userData, "share"), XDG_CONFIG_HOME: join(userData, "config") };
}

async function stopTree(child, ended) {
  if (process.platform === "win32") {
    spawnSync("taskkill", ["/pid", String(child.pid), "/T", "/F"]);
    return ended;
  }
  for (const name of ["SIGTERM", "SIGKILL"]) {
    signal(child.pid, name);
    // Bounded after SIGKILL too: where nothing reaps orphans, the dead stay in the group for ever.
    for (const deadline = Date.now() + STOP_MS; Date.now() < deadline;) {
      if (!signal(child.pid, 0)) return ended;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return ended;
}

/** Sends a signal to a process group. @returns whether any process of it was there */
function signal(group, name) {
  try {
    process.kill(-group, name);
    return true;
  } catch {
    return false;
  }
}

function removeOldInstalls(current) {
  for (const name of readdirSync(home)) {
    const owner = /^installing-(\d+)$/.exec(name)?.[1];
    const abandoned = owner !== undefined && !isRunning(Number(owner));
    if (abandoned || (name.startsWith(PREFIX) && name !== current)) rmSync(join(home, name), { recursive: true, force: true });
  }
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return pid !== process.pid;
  } catch {
    return false;
  }
}

function npm(args, cwd, stdio) {
  // Under `npm start` npm hands the settings of this repository down (no install scripts); they are not meant for that folder.
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => key !== "npm_config_ignore_scripts"));
  // Where Node came with its headers, none have to be downloaded to compile.
  const prefix = dirname(dirname(process.execPath));
  if (existsSync(join(prefix, "include", "node", "node.h"))) env.npm_config_nodedir ??= prefix;
  return spawnSync("npm", args, { cwd, env, stdio: ["ignore", stdio, stdio], shell: process.platform === "win32" }).status === 0;
}
