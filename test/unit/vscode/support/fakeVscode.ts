import { english } from "./english";

/** What the extension did to the editor. */
export interface EditorTrace {
  readonly commands: Map<string, (...args: unknown[]) => unknown>;
  readonly customEditors: string[];
  readonly views: string[];
  readonly executed: unknown[][];
  readonly errors: string[];
  readonly logged: unknown[];
  /** Files searched for and watched. */
  readonly searches: string[];
  readonly watchers: string[];
  /** Files of folders, by the folder's path: everything else is a file. */
  readonly folders: Map<string, readonly string[]>;
  /** What a search finds. */
  readonly found: string[];
}

const nothing = { dispose: () => undefined };

class Uri {
  private constructor(readonly scheme: string, readonly path: string) {}
  static file = (path: string): Uri => new Uri("file", path);
  static joinPath = (base: Uri, ...parts: string[]): Uri => new Uri(base.scheme, [base.path, ...parts].join("/"));
  get fsPath(): string {
    return this.path;
  }
}

class EventEmitter {
  private readonly listeners = new Set<(value: unknown) => void>();
  readonly event = (listener: (value: unknown) => void): typeof nothing => (this.listeners.add(listener), nothing);
  dispose(): void {
    this.listeners.clear();
  }
  fire(value: unknown): void {
    for (const listener of this.listeners) listener(value);
  }
}

class CodeActionKind {
  static readonly QuickFix = new CodeActionKind("quickfix");
  static readonly RefactorRewrite = new CodeActionKind("refactor.rewrite");
  static readonly SourceFixAll = new CodeActionKind("source.fixAll");
  private constructor(readonly value: string) {}
  append = (part: string): CodeActionKind => new CodeActionKind(`${this.value}.${part}`);
}

class TabInput {
  constructor(readonly uri: Uri) {}
}

/** As much of the `vscode` module as activation and its commands touch; everything else is missing, and would throw. */
export function fakeVscode(): { readonly module: object; readonly trace: EditorTrace; readonly Uri: typeof Uri } {
  const trace: EditorTrace = { commands: new Map(), customEditors: [], views: [], executed: [], errors: [], logged: [], searches: [], watchers: [], folders: new Map(), found: [] };
  const log = (text: unknown): void => void trace.logged.push(text);
  const module = {
    Uri,
    EventEmitter,
    CodeActionKind,
    Disposable: { from: (...parts: { dispose(): void }[]) => ({ dispose: () => parts.forEach((part) => part.dispose()) }) },
    DiagnosticSeverity: { Error: 0, Warning: 1, Information: 2, Hint: 3 },
    languages: {
      createDiagnosticCollection: () => nothing,
      registerCodeActionsProvider: () => nothing,
      registerHoverProvider: () => nothing,
      registerCodeLensProvider: () => nothing,
      registerInlayHintsProvider: () => nothing,
      registerCompletionItemProvider: () => nothing,
    },
    StatusBarAlignment: { Left: 1 },
    FileType: { Unknown: 0, File: 1, Directory: 2 },
    MarkdownString: class {
      appendText = (): this => this;
      appendMarkdown = (): this => this;
    },
    TabInputCustom: TabInput,
    TabInputText: TabInput,
    l10n: { t: english },
    env: { clipboard: { writeText: async () => undefined } },
    window: {
      createOutputChannel: () => ({ ...nothing, info: log, warn: log, error: log, show: () => log("shown") }),
      createStatusBarItem: () => ({ ...nothing, show: () => undefined, hide: () => undefined }),
      createTreeView: (id: string) => (trace.views.push(id), { ...nothing, selection: [] }),
      registerWebviewViewProvider: (id: string) => (trace.views.push(id), nothing),
      registerWebviewPanelSerializer: () => nothing,
      registerCustomEditorProvider: (id: string) => (trace.customEditors.push(id), nothing),
      setStatusBarMessage: () => nothing,
      showErrorMessage: async (text: string) => void trace.errors.push(text),
      onDidChangeActiveTextEditor: () => nothing,
      tabGroups: { activeTabGroup: { activeTab: undefined } },
    },
    workspace: {
      textDocuments: [],
      onDidOpenTextDocument: () => nothing,
      onDidChangeTextDocument: () => nothing,
      onDidCloseTextDocument: () => nothing,
      getConfiguration: () => ({ get: () => undefined }),
      onDidChangeConfiguration: () => nothing,
      onDidGrantWorkspaceTrust: () => nothing,
      findFiles: async (glob: string) => (trace.searches.push(glob), trace.found.map(Uri.file)),
      createFileSystemWatcher: (glob: string) => (trace.watchers.push(glob), { ...nothing, onDidCreate: () => nothing, onDidDelete: () => nothing, onDidChange: () => nothing }),
      onDidChangeWorkspaceFolders: () => nothing,
      asRelativePath: (uri: Uri) => uri.path,
      fs: {
        stat: async ({ path }: Uri) => ({ type: trace.folders.has(path) ? 2 : 1 }),
        readDirectory: async ({ path }: Uri) => (trace.folders.get(path) ?? []).map((name) => [name, 1]),
      },
    },
    commands: {
      registerCommand: (id: string, action: (...args: unknown[]) => unknown) => (trace.commands.set(id, action), nothing),
      executeCommand: async (...args: unknown[]) => void trace.executed.push(args),
    },
  };
  return { module, trace, Uri };
}
