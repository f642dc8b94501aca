import { isPlainYaml } from "./plainYaml";
import { type DocumentStyle } from "./style";

/** A value to be written. */
export type Plain = string | number | boolean | null | readonly Plain[] | PlainMapping;

export interface PlainMapping {
  readonly [key: string]: Plain;
}

/** A longer container is spread over lines where the language has it so. */
const LINE_AT_MOST = 80;

/** @param quote of the text that is replaced: the new one is quoted in the same way; "" for plain text in YAML */
export function scalarText(value: string | number | boolean | null, style: DocumentStyle, quote: '"' | "'" | "" | null = null): string {
  if (typeof value === "string") return quotedText(value, style, quote);
  if (style.language === "python") return value === null ? "None" : value === true ? "True" : value === false ? "False" : numberText(value);
  return value === null ? "null" : typeof value === "boolean" ? String(value) : numberText(value);
}

function numberText(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(SIGNIFICANT)));
}

/** Of numbers that are computed: enough for a scale to stay, and no tail of rounding. */
const SIGNIFICANT = 8;

function quotedText(value: string, style: DocumentStyle, quote: '"' | "'" | "" | null): string {
  if (style.language === "yaml" && (quote ?? "") === "" && isPlainYaml(value)) return value;
  const mark = style.language === "json" ? '"' : quote === '"' || quote === "'" ? quote : style.quote;
  if (style.language === "yaml" && mark === "'") return `'${value.replaceAll("'", "''")}'`;
  // TOML's single quotes take the text as it is, which reads better where there are backslashes.
  if (style.language === "toml" && !value.includes("'") && (mark === "'" || value.includes("\\"))) return `'${value}'`;
  if (style.language === "python" && value.includes("\\") && !value.includes(mark) && !value.endsWith("\\")) return `r${mark}${value}${mark}`;
  if (mark === "'") return `'${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  return JSON.stringify(value);
}

export function keyText(key: string, style: DocumentStyle): string {
  if (style.language === "toml" && /^[\w-]+$/.test(key)) return key;
  return quotedText(key, style, style.language === "toml" ? '"' : null);
}

/** Between a key and its value. */
export function separator(style: DocumentStyle): string {
  return style.language === "toml" ? " = " : ": ";
}

/**
 * A value between brackets, or a scalar.
 * @param indent of the line in which it begins
 */
export function inlineText(value: Plain, style: DocumentStyle, indent: string): string {
  if (value === null || typeof value !== "object") return scalarText(value, style);
  const listed = isList(value);
  const parts = listed
    ? value.map((item) => (inner: string) => inlineText(item, style, inner))
    : Object.entries(value).map(([key, item]) => (inner: string) => `${keyText(key, style)}${separator(style)}${inlineText(item, style, inner)}`);
  const [open, close] = listed ? ["[", "]"] : ["{", "}"];
  const pad = !listed && style.language === "toml" ? " " : "";
  const line = `${open}${pad}${parts.map((part) => part(indent)).join(", ")}${pad}${close}`;
  if (parts.length === 0) return `${open}${close}`;
  const spread = style.language === "json" ? style.spread : style.language === "python" && line.length > LINE_AT_MOST;
  if (!spread) return line;
  const inner = indent + style.unit;
  const last = style.language === "python" ? "," : "";
  return `${open}${style.lineBreak}${parts.map((part) => `${inner}${part(inner)}`).join(`,${style.lineBreak}`)}${last}${style.lineBreak}${indent}${close}`;
}

/** What follows `key:` in a block of YAML: in the same line with a blank before it, or in lines of its own. */
export function blockText(value: Plain, style: DocumentStyle, indent: string): string {
  if (value === null || typeof value !== "object" || Object.keys(value).length === 0) return ` ${inlineText(value, style, indent)}`;
  if (isList(value)) {
    const flat = value.every((item) => item === null || typeof item !== "object");
    if (!style.blockLists || !flat) return ` ${inlineText(value, style, indent)}`;
    return value.map((item) => `${style.lineBreak}${indent}${style.dashIndent}- ${inlineText(item, style, indent)}`).join("");
  }
  const inner = indent + style.unit;
  return Object.entries(value).map(([key, item]) => `${style.lineBreak}${inner}${keyText(key, style)}:${blockText(item, style, inner)}`).join("");
}

function isList(value: readonly Plain[] | PlainMapping): value is readonly Plain[] {
  return Array.isArray(value);
}
