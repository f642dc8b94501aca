/** Begins like something else: an indicator, a document's mark. */
const OTHER_START = /^(?:[-?:](?:\s|$)|[,[\]{}#&*!|>'"%@`]|---|\.\.\.)/;
/** Words and numbers of YAML 1.1 and 1.2, which a reader would not take for text. */
const OTHER_VALUE = /^(?:~|null|true|false|yes|no|on|off|y|n|[-+]?(?:\d[\d_]*)?\.?\d+(?:e[-+]?\d+)?|[-+]?\d[\d_]*\.?|0x[\da-f]+|0o?[0-7]+|[-+]?\.(?:inf|nan)|\d[\d:]*|\d{4}-\d\d.*|<<|=)$/i;

/** Whether a text means itself in YAML without quotes, in a block and between brackets. */
export function isPlainYaml(text: string): boolean {
  if (text === "" || text !== text.trim() || OTHER_START.test(text) || OTHER_VALUE.test(text)) return false;
  return !/[\n\r\t,[\]{}]|:(?:\s|$)|\s#/.test(text);
}
