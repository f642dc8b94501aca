export interface Profile {
  readonly entry: string;
  readonly userData: string;
  readonly extensions: string;
}

export interface VscodeWeb {
  readonly url: string;
  readonly pid: number;
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

export const home: string;
export function installVscodeWeb(options?: { log?: (line: string) => void }): string;
export function launchVscodeWeb(
  options: Profile & { folder: string; port?: number; env?: Record<string, string>; log?: (text: string) => void },
): Promise<VscodeWeb>;
export function installVsix(options: Profile & { vsix: string }): void;
export function useExtensionFolders(folders: readonly string[], extensions: string): void;
