import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { startEngine } from "../../../src/engine/client";
import { FORMATS } from "../../../src/models/formats";
import { formatLabel } from "../../../src/shared/formatLabel";
import { ANALYZING, COMMANDS, MODEL_FOLDERS, MODELS_VIEW, REPORT_EDITOR, WALKTHROUGH, WIZARD_VIEW } from "../../../src/vscode/commandIds";
import { MODEL_ENDINGS, STANDING_GLOB } from "../../../src/vscode/modelFiles";
import { engineOptions, type ReadSetting } from "../../../src/vscode/settings";
import { manifest, readText, repositoryFile } from "./support/manifest";

const { commands, menus, keybindings, customEditors, views, configuration, walkthroughs } = manifest.contributes;
const endings = FORMATS.flatMap((format) => format.endings);

/** What a `when` clause says about file names, as the editor would read it. */
function fileNamesOf(when: string): RegExp[] {
  return [...when.matchAll(/resourceFilename =~ \/((?:[^/\\]|\\.)*)\/(\w*)/g)].map(([, source = "", flags]) => new RegExp(source, flags));
}

describe("commands", () => {
  it("are those that the extension registers", () => {
    expect(commands.map(({ command }) => command).sort()).toEqual([...COMMANDS].sort());
  });
  it("are named by the product in the palette", () => {
    for (const { command, category } of commands) expect(category, command).toBe("RankLens");
  });
  it("have an icon where a menu draws one", () => {
    const drawn = Object.values(menus).flat().filter(({ group }) => group?.startsWith("navigation") || group?.startsWith("inline"));
    expect(drawn.length).toBeGreaterThan(0);
    for (const { command } of drawn) expect(commands.find((each) => each.command === command)?.icon, command).toMatch(/^\$\([a-z-]+\)$/);
  });
  it("exist wherever a menu, a key, a link of a text or a walkthrough names one", () => {
    const linked = [...readText("package.nls.json").matchAll(/\(command:(ranklens\.[\w.]+)\)/g)].map(([, command]) => command);
    const awaited = walkthroughs.flatMap(({ steps }) => steps).flatMap(({ completionEvents }) => completionEvents).flatMap((event) => (event.startsWith("onCommand:") ? [event.slice("onCommand:".length)] : []));
    const named = [...Object.values(menus).flat(), ...keybindings].map(({ command }) => command);
    const known = [...COMMANDS, `${MODELS_VIEW}.focus`];
    for (const command of [...linked, ...awaited, ...named]) expect(known).toContain(command);
  });
});

describe("model files", () => {
  const whens = Object.values(menus).flat().map(({ when = "" }) => when);
  const patterns = whens.flatMap(fileNamesOf);

  it("are the same to the menus, the editor, the view and the engine", () => {
    expect([...MODEL_ENDINGS].sort()).toEqual([...endings].sort());
    expect(customEditors[0]?.selector.map(({ filenamePattern }) => filenamePattern).sort()).toEqual(endings.map((ending) => `*${ending}`).sort());
    expect(patterns.length).toBeGreaterThanOrEqual(3);
    for (const pattern of patterns) {
      for (const ending of endings) {
        expect(pattern.test(`model${ending}`), `${String(pattern)} on ${ending}`).toBe(true);
        expect(pattern.test(`MODEL${ending.toUpperCase()}`)).toBe(true);
      }
    }
  });
  it.each(["train.yaml", "index.json", "model.index.json", "onnx", "model.onnx.data", "xonnx", "safetensors.txt", "firmware.bin", "train.bin.log"])("do not include %s", (name) => {
    for (const pattern of patterns) expect(pattern.test(name), String(pattern)).toBe(false);
  });
  it("have their command in the Explorer only when they are on a disk, near or far, and no folder", () => {
    const when = menus["explorer/context"]?.[0]?.when ?? "";
    expect(when).toContain("!explorerResourceIsFolder");
    const schemes = /resourceScheme =~ \/(.*?)\/(?: |$)/.exec(when)?.[1] ?? "";
    const fits = ["file", "vscode-remote", "git", "vscode-vfs", "untitled"].filter((scheme) => new RegExp(schemes).test(scheme));
    expect(fits).toEqual(["file", "vscode-remote"]);
  });
  it("and so have folders, only those that are models", () => {
    const when = menus["explorer/context"]?.[1]?.when ?? "";
    expect(when).toContain(`explorerResourceIsFolder && resourcePath in ${MODEL_FOLDERS}`);
    expect(/resourceScheme =~ \/.*?\//.exec(when)?.[0]).toBe(/resourceScheme =~ \/.*?\//.exec(menus["explorer/context"]?.[0]?.when ?? "")?.[0]);
  });
  it("are called by the formats' own names", () => {
    for (const { id, label } of FORMATS) expect(formatLabel(id)).toBe(label);
  });
});

describe("the editor, the view, the walkthrough", () => {
  it("have the names by which the extension registers them", () => {
    expect(customEditors.map(({ viewType }) => viewType)).toEqual([REPORT_EDITOR]);
    expect(Object.values(views).flat().map(({ id }) => id)).toEqual([MODELS_VIEW, WIZARD_VIEW]);
    expect(walkthroughs.map(({ id }) => id)).toEqual([WALKTHROUGH]);
    expect(readText("package.json")).toContain(`"enablement": "${ANALYZING}"`);
  });
  it("does not take files from other editors", () => expect(customEditors[0]?.priority).toBe("option"));
  it("have pictures that are there and follow the theme", () => {
    for (const { media } of walkthroughs.flatMap(({ steps }) => steps)) expect(readText(media.svg)).toContain("var(--vscode-");
    for (const { icon } of Object.values(views).flat()) expect(existsSync(repositoryFile(icon))).toBe(true);
  });
  it("have an icon of the size that the marketplace asks for", () => {
    const png = readFileSync(repositoryFile(manifest.icon));
    expect(png.subarray(1, 4).toString("latin1")).toBe("PNG");
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([256, 256]);
  });
});

describe("a model in the view", () => {
  /** Commands of the context menu for an item in this state (the end of its context value). */
  const offered = (state: string): string[] => (menus["view/item/context"] ?? []).flatMap(({ command, when = "", group = "" }) => {
    const [, source, value] = /viewItem (?:=~ \/(.*?)\/|== (\S+))/.exec(when) ?? [];
    const fits = source === undefined ? value === `model.${state}` : new RegExp(source).test(`model.${state}`);
    return fits && !group.startsWith("inline") ? [command.replace("ranklens.", "")] : [];
  });

  it("can be analyzed or cancelled, as the case is, and always be opened", () => {
    expect(offered("idle")).toEqual(["openReport", "analyzeRanks", "factorize", "exportReport", "copyPath", "revealInExplorer", "forgetResults"]);
    expect(offered("done")).toEqual(offered("idle"));
    expect(offered("running")).toEqual(["openReport", "cancelAnalysis", "factorize", "exportReport", "copyPath", "revealInExplorer"]);
    expect(offered("fault")).toEqual(["openReport", "exportReport", "copyPath", "revealInExplorer"]);
  });
  it("is not a folder", () => expect((menus["view/item/context"] ?? []).every(({ when = "" }) => when.includes("viewItem"))).toBe(true));
});

describe("where it runs", () => {
  it("is beside the files, and only when it is needed", () => {
    expect(manifest.extensionKind).toEqual(["workspace"]);
    // A folder's menu entry is there from the start, in workspaces that have such a folder.
    const [event = "", ...others] = manifest.activationEvents;
    expect(event).toBe(`workspaceContains:${STANDING_GLOB}`);
    // Training configs have lenses and findings as soon as they are open.
    expect(others).toEqual(["yaml", "json", "jsonc", "toml", "python"].map((language) => `onLanguage:${language}`));
  });
});

describe("settings", () => {
  const ofEngine = ([name]: readonly [string, unknown]): boolean => !name.startsWith("ranklens.training.");
  const properties = Object.fromEntries(Object.entries(configuration.properties).filter(ofEngine));
  const files = { engineScript: "/dist/engine.js", cacheFolder: "/cache" };
  const named = (values: Readonly<Record<string, unknown>>): ReadSetting => (name) => values[name];
  const defaults = Object.fromEntries(Object.entries(properties).map(([key, property]) => [key.replace("ranklens.", ""), property.default]));

  it("are all read, and no other", () => {
    const asked: string[] = [];
    engineOptions((name) => (asked.push(name), undefined), files);
    expect(asked.map((name) => `ranklens.${name}`).sort()).toEqual(Object.keys(properties).sort());
  });
  it("have in code the defaults and bounds that the settings page shows", () => {
    expect(engineOptions(named({}), files)).toEqual(engineOptions(named(defaults), files));
    const low = engineOptions(named({ threads: -1e9, memory: -1e9, cacheSize: -1e9, smallestTensor: -1e9 }), files);
    expect([low.threads, low.memoryMegabytes, low.cacheMegabytes, low.smallestTensor]).toEqual(["threads", "memory", "cacheSize", "smallestTensor"].map((name) => properties[`ranklens.${name}`]?.minimum));
    const high = engineOptions(named({ threads: 1e9, memory: 1e9, cacheSize: 1e9 }), files);
    expect([high.threads, high.memoryMegabytes, high.cacheMegabytes]).toEqual(["threads", "memory", "cacheSize"].map((name) => properties[`ranklens.${name}`]?.maximum));
  });
  it.each(["many", null, Number.NaN, {}, [], "true"])("that hold %j instead of a value count as unset", (value) => {
    const odd = { threads: value, memory: value, cacheSize: value, smallestTensor: value, allowExternalData: value };
    expect(engineOptions(named(odd), files)).toEqual(engineOptions(named(defaults), files));
  });
  it("open other folders' files only in folders that are trusted", () => {
    expect(manifest.capabilities.untrustedWorkspaces.restrictedConfigurations).toContain("ranklens.allowExternalData");
    expect(properties["ranklens.allowExternalData"]?.default).toBe(false);
  });
  it("start nothing when an engine is made of them", async () => {
    const engine = startEngine(engineOptions(named(defaults), { ...files, engineScript: "/nowhere/engine.js" }));
    await engine.dispose();
  });
});
