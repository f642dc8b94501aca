import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { Browser, ConsoleMessage, FrameLocator, Locator, Page } from "playwright-core";
import { installVscodeWeb, installVsix, launchVscodeWeb, type VscodeWeb } from "../../../scripts/vscodeWeb.mjs";
import { launchBrowser } from "./browser";
import { packagedExtension, root } from "./package";
import { reportIn } from "./reportPage";
import { makePlace, type Place } from "./workspace";

/** A first start of the workbench on a loaded machine; everything after it is far quicker. */
const START_MS = 90_000;
const ACTION_MS = 30_000;
/** The workbench's menus ignore a button that is released within 100 ms after they opened. */
const PRESS_MS = 250;
const SIZE = { width: 1440, height: 900 };
const SETTINGS = { "workbench.startupEditor": "none", "telemetry.telemetryLevel": "off", "extensions.ignoreRecommendations": true, "workbench.colorTheme": "Default Light Modern" };

/** A window of VS Code with the packaged extension installed, as a person has it before them. */
export class VscodeWindow {
  private shots = 0;
  /** What our page and the workbench's frames around it complained about. */
  readonly complaints: string[] = [];

  private constructor(
    private readonly journey: string,
    readonly place: Place,
    private readonly server: VscodeWeb,
    private readonly browser: Browser,
    readonly page: Page,
  ) {
    page.setDefaultTimeout(ACTION_MS);
    page.on("console", (message) => this.hear(message));
    page.on("pageerror", (error) => this.complaints.push(String(error.stack ?? error)));
  }

  /** @param prepare fills the folder that the window opens */
  static async open(journey: string, prepare: (folder: string) => void): Promise<VscodeWindow> {
    const place = makePlace();
    prepare(place.folder);
    mkdirSync(join(place.userData, "User"), { recursive: true });
    writeFileSync(join(place.userData, "User", "settings.json"), JSON.stringify(SETTINGS));
    const profile = { entry: installVscodeWeb(), userData: place.userData, extensions: place.extensions };
    installVsix({ ...profile, vsix: packagedExtension() });
    const server = await launchVscodeWeb({ ...profile, folder: place.folder });
    const browser = await launchBrowser();
    const window = new VscodeWindow(journey, place, server, browser, await browser.newPage({ viewport: SIZE }));
    await window.page.goto(server.url, { timeout: START_MS });
    await window.ready();
    return window;
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.server.stop();
    this.place.remove();
  }

  /** The process of the server, ancestor of the extension host. */
  get pid(): number {
    return this.server.pid;
  }

  /** A row of the Explorer by the file's name. */
  file(name: string): Locator {
    return this.page.locator(".explorer-folders-view").getByRole("treeitem").filter({ hasText: name });
  }

  /** Entries of the context menu of a file, which stays open. */
  async contextMenu(name: string): Promise<Locator> {
    await this.showExplorer();
    await this.file(name).click({ button: "right" });
    const menu = this.page.getByRole("menu").last();
    await menu.getByRole("menuitem").first().waitFor();
    return menu.getByRole("menuitem");
  }

  async analyzeFromExplorer(name: string): Promise<FrameLocator> {
    const items = await this.contextMenu(name);
    await items.filter({ hasText: "Analyze Ranks" }).click({ delay: PRESS_MS });
    await this.page.getByRole("tab", { name: new RegExp(name.replaceAll(".", "\\.")) }).waitFor();
    return this.report();
  }

  /** Opens the wizard for a model; the report stays in front of the editors. */
  async factorizeFromExplorer(name: string): Promise<void> {
    const items = await this.contextMenu(name);
    await items.filter({ hasText: "Factorize" }).click({ delay: PRESS_MS });
  }

  /** The side bar may show another view; a click on the view that it shows would close it. */
  async showExplorer(): Promise<void> {
    if (!(await this.file("").first().isVisible())) await this.page.getByRole("tab", { name: /^Explorer/ }).click();
  }

  report(): FrameLocator {
    return reportIn(this.page);
  }

  /** Runs a command by its title, from the palette. */
  async command(title: string): Promise<void> {
    await this.page.keyboard.press("F1");
    await this.quickInput.fill(`>${title}`);
    await this.quickEntry(title).click();
  }

  /** Takes an entry of the list that a command has opened. */
  async choose(label: string): Promise<void> {
    await this.quickInput.fill(label);
    await this.quickEntry(label).click();
  }

  /** Answers the file dialog of VS Code with a path, once it has made its own suggestion. */
  async chooseFile(suggested: string, path: string): Promise<void> {
    await expect.poll(() => this.quickInput.inputValue(), { timeout: ACTION_MS }).toBe(suggested);
    await this.quickInput.fill(path);
    await this.page.locator(".quick-input-widget").getByRole("button", { name: "OK" }).click();
  }

  private get quickInput(): Locator {
    return this.page.locator(".quick-input-widget input[type=text]");
  }

  private quickEntry(label: string): Locator {
    return this.page.locator(".quick-input-list").getByRole("option").filter({ hasText: label }).first();
  }

  /** Presses the window's reload button. */
  async reload(): Promise<void> {
    await this.page.reload({ timeout: START_MS });
    await this.ready();
  }

  /** Everything that RankLens has logged in this VS Code, over all windows and reloads. */
  log(): string {
    const folder = join(this.place.userData, "logs");
    if (!existsSync(folder)) return "";
    return readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith("RankLens.log"))
      .map((path) => readFileSync(join(folder, path), "utf8"))
      .join("");
  }

  /** A picture of the whole window for people, under test-results/editor. */
  async shot(name: string): Promise<void> {
    const folder = join(root, "test-results", "editor");
    mkdirSync(folder, { recursive: true });
    await this.page.screenshot({ path: join(folder, `${this.journey}-${++this.shots}-${name}.png`) });
  }

  /** Files or the extension's views are listed, and its icon stands in the activity bar. */
  private async ready(): Promise<void> {
    await this.file("").or(this.page.getByRole("button", { name: "Compression Wizard Section" })).first().waitFor({ timeout: START_MS });
    await this.page.getByRole("tab", { name: "RankLens" }).waitFor({ timeout: START_MS });
  }

  private hear(message: ConsoleMessage): void {
    const { url } = message.location();
    const text = message.text();
    const ours = url.includes("/dist/webview/") || /Content Security Policy/i.test(text);
    if (ours && (message.type() === "error" || message.type() === "warning")) this.complaints.push(`${text} (${url})`);
  }
}
