import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { which } from "./setup.mjs";

const PYTHON = "/usr/bin/python3";
/** What some layers of the tests need beside Node, how to see it, and the Debian packages that bring it. */
const TOOLS = {
  chromium: {
    present: () => Boolean(process.env.CHROMIUM_PATH ?? which("chromium", "chromium-browser", "google-chrome")),
    debian: ["chromium", "fonts-dejavu-core"],
  },
  python: {
    present: () => existsSync(PYTHON) && spawnSync(PYTHON, ["-c", "import numpy, scipy, onnx, torch, sklearn"]).status === 0,
    debian: ["python3-numpy", "python3-scipy", "python3-onnx", "python3-torch", "python3-sklearn"],
  },
  compiler: {
    present: () => Boolean(which("python3") && which("make") && which("g++")),
    debian: ["python3", "make", "g++"],
  },
};

/**
 * Sees to it that the tools are there, installing Debian's packages where this user may.
 * @returns names of those that could not be had
 */
export function ensureTools(names) {
  let missing = names.filter((name) => !TOOLS[name].present());
  if (missing.length > 0 && which("apt-get") && process.getuid?.() === 0) {
    const packages = missing.flatMap((name) => TOOLS[name].debian);
    console.log(`Installing ${packages.join(" ")} …`);
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    spawnSync("apt-get", ["update", "-q"], { stdio: ["ignore", "ignore", "inherit"], env });
    spawnSync("apt-get", ["install", "-yq", "--no-install-recommends", ...packages], { stdio: ["ignore", "ignore", "inherit"], env });
    missing = missing.filter((name) => !TOOLS[name].present());
  }
  return missing;
}

/** The Debian packages of a tool, for a message. */
export const packagesOf = (name) => TOOLS[name].debian.join(" ");
