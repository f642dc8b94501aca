import { describe, expect, it } from "vitest";
import { journey } from "./support/journey";
import { descendants, halt } from "./support/processes";
import { allMeasured, waitForText } from "./support/reportPage";
import { writeLongModel } from "./support/workspace";

const FILE = "long.safetensors";

describe("an engine that is killed in mid-run", () => {
  const window = journey("crash", (folder) => writeLongModel(folder, FILE, 24, 1600));
  const processes = (script: string): number[] => descendants(window().pid, `/dist/${script}.js`);

  it("is started again, and the analysis comes to its end", async () => {
    const report = await window().analyzeFromExplorer(FILE);
    await waitForText(report, /^[1-9]\d* of 24$/);
    const goOn = halt(processes("compute"));
    const engines = processes("engine");
    expect(engines).toHaveLength(1);
    process.kill(engines[0]!, "SIGKILL");
    goOn();
    await allMeasured(report);
    await window().shot("recovered");
    expect(processes("engine")).not.toContain(engines[0]);
    expect(window().log()).toMatch(/Engine process \d+ ended by/);
  });

  it("is told of in the log, which the page opens", async () => {
    await window().report().getByRole("button", { name: "Show log" }).click();
    await window().page.locator(".part.panel").getByText(/Engine\sprocess\s\d+\sended/).first().waitFor();
    await window().shot("log");
  });

  it("leaves no process behind when the window is closed", async () => {
    await window().page.close();
    await expect.poll(() => [...processes("engine"), ...processes("compute")], { timeout: 60_000 }).toEqual([]);
  });
});
