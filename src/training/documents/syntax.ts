import { parseTree, printParseErrorCode, type ParseError as JsonError } from "jsonc-parser";
import { ParseError, parseTOML } from "toml-eslint-parser";
import { parseAllDocuments } from "yaml";
import type { DocumentLanguage } from "./located";
import { JSON_OPTIONS } from "./json";
import { TOML_OPTIONS } from "./toml";
import { YAML_OPTIONS } from "./yaml";

/** Where a text stops to parse, in UTF-16 code units, and the parser's words for it. */
export interface SyntaxFault {
  readonly at: number;
  readonly what: string;
}

/** The first of a text; null where it parses, and for Python, of which each call says so for itself. */
export function syntaxFault(text: string, language: DocumentLanguage): SyntaxFault | null {
  switch (language) {
    case "yaml": return inYaml(text);
    case "json": return inJson(text);
    case "toml": return inToml(text);
    case "python": return null;
  }
}

function inYaml(text: string): SyntaxFault | null {
  const documents = parseAllDocuments(text, YAML_OPTIONS);
  const error = Array.isArray(documents) ? documents[0]?.errors[0] : undefined;
  return error === undefined ? null : { at: error.pos[0], what: error.message };
}

function inJson(text: string): SyntaxFault | null {
  const errors: JsonError[] = [];
  parseTree(text, errors, JSON_OPTIONS);
  const [error] = errors;
  return error === undefined ? null : { at: error.offset, what: printParseErrorCode(error.error).replace(/(?<=[a-z])(?=[A-Z])/g, " ") };
}

function inToml(text: string): SyntaxFault | null {
  try {
    parseTOML(text, TOML_OPTIONS);
    return null;
  } catch (error) {
    if (error instanceof ParseError) return { at: error.index, what: error.message };
    throw error;
  }
}
