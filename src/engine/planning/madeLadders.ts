import type { Spectra } from "../../factorize/ladder";
import type { SchemeId } from "../../factorize/scheme";
import { PLAIN_SCHEMES } from "../../factorize/schemes";
import type { Ladders } from "./makeLadders";

/** Models whose ladders are kept: the one of the wizard, and the one before. */
const KEPT = 2;

interface Kept {
  readonly layers: Map<string, Map<SchemeId, Spectra>>;
  /** All layers that they fit have them. */
  readonly schemes: Set<SchemeId>;
}

/** What was made for schemes beyond the plain ones, by model: layer by layer, so that a cancel loses no more than one. */
export class MadeLadders {
  private readonly models = new Map<string, Kept>();

  missing(key: string, schemes: readonly SchemeId[]): readonly SchemeId[] {
    const known = this.models.get(key)?.schemes;
    return schemes.filter((id) => !PLAIN_SCHEMES.includes(id) && known?.has(id) !== true);
  }

  /** Of a model's layers, as far as they are made. */
  of(key: string): Ladders {
    return this.models.get(key)?.layers ?? new Map();
  }

  /** Schemes that are complete. */
  schemes(key: string): readonly SchemeId[] {
    return [...(this.models.get(key)?.schemes ?? [])];
  }

  add(key: string, name: string, spectra: ReadonlyMap<SchemeId, Spectra>): void {
    const { layers } = this.kept(key);
    layers.set(name, new Map([...(layers.get(name) ?? []), ...spectra]));
  }

  complete(key: string, schemes: readonly SchemeId[]): void {
    const own = this.kept(key);
    for (const id of schemes) own.schemes.add(id);
  }

  private kept(key: string): Kept {
    const own = this.models.get(key) ?? { layers: new Map(), schemes: new Set() };
    this.models.delete(key);
    this.models.set(key, own);
    for (const oldest of this.models.keys()) if (this.models.size > KEPT) this.models.delete(oldest);
    return own;
  }
}
