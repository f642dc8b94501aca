import { type ConfigDocument, type DocumentLanguage } from "../documents/located";
import { type EcosystemId, type TrainingConfig } from "../config";

/** One kind of training config: how it is recognised, and where it keeps what. */
export interface Ecosystem {
  readonly id: EcosystemId;
  /** As its users call it. */
  readonly label: string;
  readonly languages: readonly DocumentLanguage[];
  /** What every text of this kind contains: others are not even parsed. */
  readonly hint: RegExp;
  /** The configs in a document, empty where it is of another kind. Never throws. */
  configs(document: ConfigDocument): TrainingConfig[];
}
