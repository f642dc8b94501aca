import { describe, expect, it } from "vitest";
import { insertEntry, removeEntry, removeItem, replaceScalar, replaceValue, setEntries, setEntry } from "../../../src/training/documents/edits/edits";
import type { Plain } from "../../../src/training/documents/edits/plain";
import { entryOf, mappingAt, type ConfigDocument, type DocumentLanguage, type LocatedMapping, type LocatedSequence, type TextEdit } from "../../../src/training/documents/located";
import { readDocument } from "../../../src/training/documents/read";

/** Where edits are made: the root, the mapping under a key, or the first call. */
function open(text: string, language: DocumentLanguage, path: readonly string[] = []): { readonly document: ConfigDocument; readonly mapping: LocatedMapping } {
  const document = readDocument(text, language, "config");
  return { document, mapping: language === "python" ? document.calls[0]! : mappingAt(document.root!, ...path)! };
}

function applied(text: string, edit: TextEdit | null): string {
  if (edit === null) throw new Error("There is no edit");
  return text.slice(0, edit.range.start) + edit.text + text.slice(edit.range.end);
}

type Case = readonly [language: DocumentLanguage, before: string, after: string, path?: readonly string[]];
const cases = (all: readonly Case[]): [DocumentLanguage, string, string, readonly string[]][] => all.map(([language, before, after, path = []]) => [language, before, after, path]);

describe("a scalar is replaced as it was quoted", () => {
  it.each<readonly [DocumentLanguage, string, string | number | boolean, string]>([
    ["yaml", "r: 8 # rank\n", 16, "r: 16 # rank\n"],
    ["yaml", "r:\nx: 1\n", 16, "r: 16\nx: 1\n"],
    ["yaml", "r: 'k_prj'\n", "k_proj", "r: 'k_proj'\n"],
    ["yaml", "r: \"k_prj\"\n", "k_proj", "r: \"k_proj\"\n"],
    ["yaml", "r: k_prj\n", "k_proj", "r: k_proj\n"],
    ["yaml", "r: x\n", "yes", "r: \"yes\"\n"],
    ["yaml", "r: x\n", "a: b", "r: \"a: b\"\n"],
    ["yaml", "r: &size 8\n", 4, "r: &size 4\n"],
    ["json", "{\"r\": 8}", 16, "{\"r\": 16}"],
    ["json", "{\"r\": \"a\"}", "b\\c", "{\"r\": \"b\\\\c\"}"],
    ["toml", "r = 8 # rank\n", 16, "r = 16 # rank\n"],
    ["toml", "r = 'a'\n", "b\\d", "r = 'b\\d'\n"],
    ["python", "LoraConfig(r=8)", 16, "LoraConfig(r=16)"],
    ["python", "LoraConfig(r='a')", "b", "LoraConfig(r='b')"],
    ["python", "LoraConfig(r='a')", ".*\\.q", "LoraConfig(r=r'.*\\.q')"],
    ["python", "LoraConfig(r=True)", false, "LoraConfig(r=False)"],
  ])("in %s: %j", (language, before, value, after) => {
    const { document, mapping } = open(before, language);
    const node = entryOf(mapping, "r")!.value;
    expect(applied(before, node.kind === "scalar" ? replaceScalar(document, node, value) : null)).toBe(after);
  });
});

describe("an entry is inserted in the file's own way", () => {
  it.each(cases([
    ["yaml", "a: 1 # one\nb: 2\n", "a: 1 # one\nb: 2\nnew: 3\n"],
    ["yaml", "a: 1", "a: 1\nnew: 3"],
    ["yaml", "a: 1\r\nb: 2\r\n", "a: 1\r\nb: 2\r\nnew: 3\r\n"],
    ["yaml", "s:\n    a: 1 # one\n# below\nt: 2\n", "s:\n    a: 1 # one\n    new: 3\n# below\nt: 2\n", ["s"]],
    ["yaml", "s: {a: 1}\n", "s: {a: 1, new: 3}\n", ["s"]],
    ["yaml", "s: {}\n", "s: {new: 3}\n", ["s"]],
    ["yaml", "a:\n  - x # last\nb: |\n  text\n", "a:\n  - x # last\nb: |\n  text\nnew: 3\n"],
    ["json", "{\n    \"a\": 1\n}\n", "{\n    \"a\": 1,\n    \"new\": 3\n}\n"],
    ["json", "{\n  \"a\": 1 // one\n}\n", "{\n  \"a\": 1, // one\n  \"new\": 3\n}\n"],
    ["json", "{\"a\": 1}", "{\"a\": 1, \"new\": 3}"],
    ["json", "{}", "{\"new\": 3}"],
    ["toml", "a = 1 # one\n\n[t]\nb = 2\n", "a = 1 # one\nnew = 3\n\n[t]\nb = 2\n"],
    ["toml", "a = 1\n\n[t]\nb = 2 # two\n\n[u]\nc = 3\n", "a = 1\n\n[t]\nb = 2 # two\nnew = 3\n\n[u]\nc = 3\n", ["t"]],
    ["toml", "[t]\n\n[u]\nc = 3\n", "[t]\nnew = 3\n\n[u]\nc = 3\n", ["t"]],
    ["toml", "t = { a = 1 }\n", "t = { a = 1, new = 3 }\n", ["t"]],
    ["python", "LoraConfig(r=8)", "LoraConfig(r=8, new=3)"],
    ["python", "LoraConfig()", "LoraConfig(new=3)"],
    ["python", "c = LoraConfig(\n    r=8,  # rank\n)\n", "c = LoraConfig(\n    r=8,  # rank\n    new=3,\n)\n"],
    ["python", "c = LoraConfig(\n    r=8  # rank\n)\n", "c = LoraConfig(\n    r=8,  # rank\n    new=3\n)\n"],
    ["python", "get_peft_model(\n    model,\n)\n", "get_peft_model(\n    model,\n    new=3,\n)\n"],
  ]))("in %s: %j", (language, before, after, path) => {
    const { document, mapping } = open(before, language, path);
    expect(applied(before, insertEntry(document, mapping, "new", 3))).toBe(after);
  });

  it("after another one where that is asked", () => {
    const yaml = "a: 1 # one\nb: 2\n";
    const { document, mapping } = open(yaml, "yaml");
    expect(applied(yaml, insertEntry(document, mapping, "new", 3, mapping.entries[0]!))).toBe("a: 1 # one\nnew: 3\nb: 2\n");
    const python = "LoraConfig(r=8, b=2)";
    const call = open(python, "python");
    expect(applied(python, insertEntry(call.document, call.mapping, "new", 3, call.mapping.entries[0]!))).toBe("LoraConfig(r=8, new=3, b=2)");
  });

  it.each<readonly [DocumentLanguage, string, Plain, string]>([
    ["yaml", "a: 1\ns:\n    x: 2\n", { q_proj: 4, ".*\\.mlp": 8 }, "a: 1\ns:\n    x: 2\nnew:\n    q_proj: 4\n    .*\\.mlp: 8\n"],
    ["yaml", "a:\n- x\n", ["p", "z"], "a:\n- x\nnew:\n- p\n- z\n"],
    ["yaml", "a: [x]\n", ["p", "z"], "a: [x]\nnew: [p, z]\n"],
    ["yaml", "a: 1\n", { "*.q": 4 }, "a: 1\nnew:\n  \"*.q\": 4\n"],
    ["json", "{\n  \"a\": 1\n}\n", { q: 4 }, "{\n  \"a\": 1,\n  \"new\": {\n    \"q\": 4\n  }\n}\n"],
    ["python", "LoraConfig(r=8)", { q: 4 }, "LoraConfig(r=8, new={\"q\": 4})"],
    ["toml", "a = 1\n", ["x", "y"], "a = 1\nnew = [\"x\", \"y\"]\n"],
  ])("with a value of several parts in %s: %j", (language, before, value, after) => {
    const { document, mapping } = open(before, language);
    expect(applied(before, insertEntry(document, mapping, "new", value))).toBe(after);
  });
});

describe("several entries at one place are one edit", () => {
  it.each<readonly [DocumentLanguage, string, string]>([
    ["yaml", "a: 1\nz: 2\n", "a: 1\nnew: 3\nmore:\n  q: 4\nz: 2\n"],
    ["json", "{\n  \"a\": 1,\n  \"z\": 2\n}\n", "{\n  \"a\": 1,\n  \"new\": 3,\n  \"more\": {\n    \"q\": 4\n  },\n  \"z\": 2\n}\n"],
    ["json", "{}", "{\"new\": 3, \"more\": {\"q\": 4}}"],
    ["toml", "a = 1\n", "a = 1\nnew = 3\nmore = { q = 4 }\n"],
    ["python", "f(a=1, z=2)", "f(a=1, new=3, more={\"q\": 4}, z=2)"],
    ["python", "f(\n    a=1,  # one\n)\n", "f(\n    a=1,  # one\n    new=3,\n    more={\"q\": 4},\n)\n"],
  ])("in %s: %j", (language, before, after) => {
    const { document, mapping } = open(before, language);
    const edits = setEntries(document, mapping, [["new", 3], ["more", { q: 4 }]], mapping.entries[0] ?? null);
    expect(edits).toHaveLength(1);
    expect(applied(before, edits?.[0] ?? null)).toBe(after);
  });
});

describe("an entry is taken out with its line or its comma", () => {
  it.each(cases([
    ["yaml", "a: 1\nold: 2 # two\nb: 3\n", "a: 1\nb: 3\n"],
    ["yaml", "a: 1\nold:\n  - x\n  - y\nb: 3\n", "a: 1\nb: 3\n"],
    ["yaml", "a: 1\nold: 2", "a: 1"],
    ["yaml", "s: {a: 1, old: 2}\n", "s: {a: 1}\n", ["s"]],
    ["json", "{\n  \"a\": 1,\n  \"old\": 2\n}\n", "{\n  \"a\": 1\n}\n"],
    ["json", "{\n  \"old\": 2,\n  \"a\": 1\n}\n", "{\n  \"a\": 1\n}\n"],
    ["json", "{\"old\": 2}", "{}"],
    ["toml", "a = 1\nold = 2\n", "a = 1\n"],
    ["python", "LoraConfig(old=2, r=8)", "LoraConfig(r=8)"],
    ["python", "LoraConfig(r=8, old=2)", "LoraConfig(r=8)"],
    ["python", "LoraConfig(\n    r=8,\n    old=2,  # two\n)\n", "LoraConfig(\n    r=8,\n)\n"],
  ]))("in %s: %j", (language, before, after, path) => {
    const { document, mapping } = open(before, language, path);
    expect(applied(before, removeEntry(document, mapping, entryOf(mapping, "old")!))).toBe(after);
  });
});

describe("an item of a list", () => {
  const items = (text: string, language: DocumentLanguage): { readonly document: ConfigDocument; readonly list: LocatedSequence } => {
    const { document, mapping } = open(text, language);
    return { document, list: entryOf(mapping, "t")!.value as LocatedSequence };
  };

  it.each(cases([
    ["yaml", "t:\n  - a\n  - old # x\nx: 1\n", "t:\n  - a\nx: 1\n"],
    ["yaml", "t:\n- old\n- a\n", "t:\n- a\n"],
    ["yaml", "t: [old, a]\n", "t: [a]\n"],
    ["json", "{\"t\": [\"a\", \"old\"]}", "{\"t\": [\"a\"]}"],
    ["python", "f(t=[\n    'a',\n    'old',\n])", "f(t=[\n    'a',\n])"],
  ]))("is taken out in %s: %j", (language, before, after) => {
    const { document, list } = items(before, language);
    const item = list.items.find((each) => each.kind === "scalar" && each.value === "old")!;
    expect(applied(before, removeItem(document, list, item))).toBe(after);
  });
});

describe("a value of another form", () => {
  it.each<readonly [DocumentLanguage, string, Plain, string]>([
    ["yaml", "t:\n  - 'a.*'\n  - b # x\nx: 1\n", "a.*|b", "t: a.*|b # x\nx: 1\n"],
    ["yaml", "t: [a]\nx: 1\n", ".*\\.a", "t: .*\\.a\nx: 1\n"],
    ["yaml", "t: a\nx:\n  - 1\n", ["q", "v"], "t:\n  - q\n  - v\nx:\n  - 1\n"],
    ["json", "{\"t\": [\"a.*\"]}", "a.*", "{\"t\": \"a.*\"}"],
    ["python", "f(t=['a.*'], r=8)", "a\\.b", "f(t=r'a\\.b', r=8)"],
  ])("takes its place in %s: %j", (language, before, value, after) => {
    const { document, mapping } = open(before, language);
    expect(applied(before, replaceValue(document, mapping, entryOf(mapping, "t")!, value))).toBe(after);
  });
});

describe("there is no edit", () => {
  it("in a text that does not parse", () => {
    const { document, mapping } = open("{\"a\": 1, \"b\": ", "json");
    expect(setEntry(document, mapping, "a", 2)).toBeNull();
    expect(insertEntry(document, mapping, "c", 2)).toBeNull();
  });

  it("of a value that stands elsewhere", () => {
    const yaml = open("b: &x 8\na: *x\n", "yaml");
    expect(setEntry(yaml.document, yaml.mapping, "a", 2)).toBeNull();
    const python = readDocument("r = 8\nLoraConfig(r=r)\n", "python", "a.py");
    expect(setEntry(python, python.calls[0]!, "r", 2)).toBeNull();
  });
});
