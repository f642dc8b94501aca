import { join } from "node:path";

/** Where the terminal keeps results: the platform's folder for what can be computed again. Null without a home. */
export function defaultCacheFolder(platform: NodeJS.Platform, env: NodeJS.ProcessEnv, home: string): string | null {
  const base = platformCache(platform, env, home);
  return base === null ? null : join(base, "ranklens");
}

function platformCache(platform: NodeJS.Platform, env: NodeJS.ProcessEnv, home: string): string | null {
  // The XDG rule: an empty or relative path counts as unset. On macOS a person who sets it wants it too.
  const xdg = env["XDG_CACHE_HOME"];
  if (xdg?.startsWith("/") === true) return xdg;
  if (platform === "win32") return env["LOCALAPPDATA"] ?? (home === "" ? null : join(home, "AppData", "Local"));
  if (home === "") return null;
  return platform === "darwin" ? join(home, "Library", "Caches") : join(home, ".cache");
}
