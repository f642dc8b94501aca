/** "DepthwiseConv2D" as Keras names its layers and their weights: "depthwise_conv2d" (keras.src.utils.naming, to_snake_case). */
export function snakeCase(className: string): string {
  return className.replace(/\W+/g, "").replace(/(.)([A-Z][a-z]+)/g, "$1_$2").replace(/([a-z])([A-Z])/g, "$1_$2").toLowerCase();
}

/** Digits to which numbers are filled up, so that they sort as numbers. */
const DIGITS = 9;

export function naturalKey(text: string): string {
  return text.replace(/\d+/g, (digits) => digits.padStart(DIGITS, "0"));
}
