/** Numbers between words: "down_blocks_0_attentions_1". */
const NUMBER = /_(\d+)(?=_)/g;
/** kohya writes a module's path with underscores: "lora_unet_…", "lora_te1_…". */
const KOHYA = /^(?:lora|lycoris)_/;
/** cloneofsimo numbers the modules of one part: "unet:12". */
const NUMBERED = /^(.+):(\d+)$/;

/** A module's path with dots, as the model map takes it apart: "lora_unet_down_blocks_0_attn1" is in block "…down_blocks.0". */
export function adapterPath(module: string): string {
  if (KOHYA.test(module) && !module.includes(".")) return module.replace(NUMBER, ".$1.").replace(/\.[._]+/g, ".");
  return NUMBERED.test(module) ? module.replace(NUMBERED, "$1.$2") : module;
}
