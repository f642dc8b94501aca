import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

/** The recipes' Python modules in PyTorch (Debian's python3-torch): each claim of recipes.py is a test. */
const claims = JSON.parse(execFileSync("/usr/bin/python3", [join(import.meta.dirname, "recipes.py")], { encoding: "utf8" })) as Record<string, string | null>;

describe("the training recipes in PyTorch", () => {
  it.each(Object.entries(claims))("%s", (_, wrong) => {
    expect(wrong).toBeNull();
  });
});
