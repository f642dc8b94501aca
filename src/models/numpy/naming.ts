/** How NumPy programs shorten PyTorch's names: "enc_w_ih" is the weight_ih of "enc", "fc_b" the bias of "fc". */
const SHORT: readonly (readonly [RegExp, string])[] = [
  [/^(.+)[._/](w|b)_(ih|hh)((?:_l\d+)?(?:_reverse)?)$/, "$1.$2_$3$4"],
  [/^(.+)[._/](w|b)$/, "$1.$2"],
];
const LONG: Readonly<Record<string, string>> = { w: "weight", b: "bias" };

/** The name that a state dict would give an array, by which its role is found. */
export function stateDictNameOf(name: string): string {
  for (const [pattern, replacement] of SHORT) {
    if (pattern.test(name)) return name.replace(pattern, replacement).replace(/\.(w|b)(?=(?:_(?:ih|hh)(?:_l\d+)?(?:_reverse)?)?$)/, (_, letter: string) => `.${LONG[letter] ?? letter}`);
  }
  return name;
}
