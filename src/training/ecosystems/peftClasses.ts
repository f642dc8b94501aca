/** PEFT's classes of adapters that are put into modules by name, and the method's `peft_type` in lower case (src/peft/tuners). */
const CLASSES: Readonly<Record<string, string>> = {
  LoraConfig: "lora", LoHaConfig: "loha", LoKrConfig: "lokr", AdaLoraConfig: "adalora", VeraConfig: "vera", PveraConfig: "pvera",
  OFTConfig: "oft", BOFTConfig: "boft", HRAConfig: "hra", MissConfig: "miss", BoneConfig: "bone", IA3Config: "ia3", LNTuningConfig: "ln_tuning",
  FourierFTConfig: "fourierft", RandLoraConfig: "randlora", VBLoRAConfig: "vblora", C3AConfig: "c3a", ShiraConfig: "shira", RoadConfig: "road",
  DeloraConfig: "delora", WaveFTConfig: "waveft", GraloraConfig: "gralora",
};

/** A call of one of them. */
export const CLASS_CALL = new RegExp(`\\b(?:${Object.keys(CLASSES).join("|")})\\s*\\(`);

/** @returns null for a class that is no such config, as those of prompts and of initialisations */
export function methodOfClass(name: string): string | null {
  return CLASSES[name] ?? null;
}
