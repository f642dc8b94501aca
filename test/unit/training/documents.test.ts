import { getStaticTOMLValue, parseTOML } from "toml-eslint-parser";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { entryOf, type DocumentLanguage, type Located, type LocatedMapping } from "../../../src/training/documents/located";
import { readDocument } from "../../../src/training/documents/read";

/** The values of a tree, as the format's own parser gives them. */
function plain(value: Located): unknown {
  if (value.kind === "scalar") return value.value;
  if (value.kind === "sequence") return value.items.map(plain);
  if (value.kind === "mapping") return Object.fromEntries(value.entries.map((entry) => [entry.key, plain(entry.value)]));
  return value.why;
}

function everyEntry(mapping: LocatedMapping): LocatedMapping["entries"] {
  return mapping.entries.flatMap((entry) => [entry, ...(entry.value.kind === "mapping" ? everyEntry(entry.value) : [])]);
}

const read = (text: string, language: DocumentLanguage) => readDocument(text, language, "config");

const YAML = `# head
base_model: org/name # which
adapter: "lora"
lora_r: 16
empty:
list:
  - a
  - 'b'  # second
flow: [x, {y: 1, z: [2, 3]}]
nested:
  deep:
    value: 1.5e-3
    on: true
  text: |
    two
    lines
last: ~
`;
const JSON_TEXT = `{\n  "r": 8,\n  "x": {"deep": [1, "two", null, true]},\n  "s": "a\\n\\u00e9",\n  "e": {}\n}\n`;
const TOML = `title = "a"\nnumbers = [ 1, 2.5,\n  3, ]\n\n[network]\nmodule = 'b\\c'\ninline = { x = 1, y = "z" }\n\n[network.deeper]\non = true\n`;

describe("a located tree", () => {
  it("of YAML has the values that the yaml package has", () => {
    expect(plain(read(YAML, "yaml").root!)).toEqual(parse(YAML));
  });

  it("of JSON has the values that JSON.parse has", () => {
    expect(plain(read(JSON_TEXT, "json").root!)).toEqual(JSON.parse(JSON_TEXT));
  });

  it("of TOML has the values that its parser has", () => {
    expect(plain(read(TOML, "toml").root!)).toEqual(getStaticTOMLValue(parseTOML(TOML)));
  });

  it.each([["yaml", YAML], ["json", JSON_TEXT], ["toml", TOML]] as const)("of %s has every key where it stands, and every scalar", (language, text) => {
    for (const { key, keyRange, value, range } of everyEntry(read(text, language).root!)) {
      expect(text.slice(keyRange.start, keyRange.end)).toContain(key);
      expect(range.end).toBeGreaterThanOrEqual(value.range.end);
      if (value.kind !== "scalar" || typeof value.value !== "number") continue;
      expect(Number(text.slice(value.range.start, value.range.end))).toBe(value.value);
    }
  });

  it("counts in UTF-16 code units, whatever stands before", () => {
    const text = "name: \"🦙 é\"\nlora_r: 8\n";
    const { range } = entryOf(read(text, "yaml").root!, "lora_r")!.value;
    expect(text.slice(range.start, range.end)).toBe("8");
  });

  it("knows comments from text that looks like them", () => {
    const yaml = "a: 'x # no' # yes\nb: y#no\n# yes\n";
    expect(read(yaml, "yaml").comments.map(({ start, end }) => yaml.slice(start, end))).toEqual(["# yes", "# yes"]);
    const json = "{\"a\": \"// no\" // yes\n}";
    expect(read(json, "json").comments.map(({ start, end }) => json.slice(start, end))).toEqual(["// yes"]);
    const python = "f('# no')  # yes\n";
    expect(read(python, "python").comments.map(({ start, end }) => python.slice(start, end))).toEqual(["# yes"]);
    const toml = "a = \"# no\" # yes\n";
    expect(read(toml, "toml").comments.map(({ start, end }) => toml.slice(start, end))).toEqual(["# yes"]);
  });

  it("takes the later of two entries with one key, as PyYAML does", () => {
    expect(entryOf(read("r: 1\nr: 2\n", "yaml").root!, "r")?.value).toMatchObject({ value: 2 });
  });

  it("follows anchors and merges, and says that those entries stand elsewhere", () => {
    const { root } = read("base: &b\n  r: 8\n  alpha: 16\nlora:\n  <<: *b\n  r: 4\nsame: *b\n", "yaml");
    const lora = entryOf(root!, "lora")!.value as LocatedMapping;
    expect(entryOf(lora, "r")).toMatchObject({ value: { value: 4 }, borrowed: false });
    expect(entryOf(lora, "alpha")).toMatchObject({ value: { value: 16 }, borrowed: true });
    expect(entryOf(root!, "same")).toMatchObject({ borrowed: true, value: { kind: "mapping" } });
  });

  it("puts in what an interpolation of the same file stands for, and leaves others open", () => {
    const { root } = read("out: /tmp/x\nsize:\n  r: 8\ndir: ${out}/logs\nr: ${size.r}\nhome: ${oc.env:HOME}\nmissing: ${nothing}\nround: ${round}\n", "yaml");
    expect(["dir", "r", "home", "missing", "round"].map((key) => plain(entryOf(root!, key)!.value))).toEqual(["/tmp/x/logs", 8, "interpolation", "interpolation", "interpolation"]);
  });
});

describe("a Python file", () => {
  const call = (text: string, name: string): LocatedMapping => read(text, "python").calls.find((each) => each.call?.name.endsWith(name))!;

  it("gives the arguments of its calls", () => {
    const of = call("c = peft.LoraConfig(\n    8,  # rank\n    lora_alpha=-1_6.5,\n    target_modules=['q', r'\\d' 'x'],\n    rank_pattern={\"a\": 4},\n    use_dora=True, revision=None,\n)\n", "LoraConfig");
    expect(of.call?.positional.map(plain)).toEqual([8]);
    expect(plain(of)).toEqual({ lora_alpha: -16.5, target_modules: ["q", "\\dx"], rank_pattern: { a: 4 }, use_dora: true, revision: null });
    expect(of.completeness).toBe("whole");
  });

  it("resolves a name that is given a value once, above", () => {
    expect(plain(call("r = 8\nnames = ['q']\nLoraConfig(r=r, target_modules=names)\n", "LoraConfig"))).toEqual({ r: 8, target_modules: ["q"] });
  });

  it.each([
    ["given a value twice", "r = 8\nr = 16\nLoraConfig(r=r)\n"],
    ["given a value below", "LoraConfig(r=r)\nr = 8\n"],
    ["a parameter", "r = 8\ndef f(r):\n    return LoraConfig(r=r)\n"],
    ["a loop's", "r = 8\nfor r in sizes:\n    LoraConfig(r=r)\n"],
    ["counted up", "r = 8\nr += 8\nLoraConfig(r=r)\n"],
    ["imported", "r = 8\nfrom sizes import r\nLoraConfig(r=r)\n"],
    ["changed in place", "r = [8]\nr.append(4)\nLoraConfig(r=r)\n"],
    ["an attribute", "LoraConfig(r=args.r)\n"],
    ["computed", "LoraConfig(r=2 * 8)\n"],
    ["a formatted string", "LoraConfig(r=f'{x}')\n"],
    ["one of two tuples", "r, s = 8, 16\nLoraConfig(r=r)\n"],
  ])("does not claim to know a name that is %s", (_, text) => {
    expect(plain(call(text, "LoraConfig"))).toEqual({ r: "expression" });
  });

  it("knows that arguments may come from elsewhere", () => {
    expect(call("LoraConfig(r=8, **more)", "LoraConfig").completeness).toBe("open");
    expect(plain(call("more = {'r': 4}\nLoraConfig(**more)", "LoraConfig"))).toEqual({ r: 4 });
  });

  it("says of a call that is being typed that it is not whole, and reads what stands", () => {
    const of = call("LoraConfig(r=8, target_modules=[\"q_proj\", \"", "LoraConfig");
    expect(of.completeness).toBe("broken");
    expect(entryOf(of, "r")?.value).toMatchObject({ value: 8 });
  });
});

describe("a text that does not parse", () => {
  it.each([
    ["yaml", "a:\n\tb: 1\n"], ["yaml", "a: [1, 2\n"], ["yaml", "a: 'x\n"], ["yaml", "{"], ["yaml", "a: *nowhere\n"], ["yaml", "a: &a [*a]\n"], ["yaml", "- a\nb: 1\n"],
    ["json", "{\"a\": "], ["json", "{\"a\" 1}"], ["json", ""], ["json", "{,}"], ["toml", "a = \n"], ["toml", "[a\nb = 1\n"], ["toml", "a = 1\na = 2\n"], ["toml", "= ="],
    ["python", "LoraConfig(r="], ["python", "((((["], ["python", "LoraConfig(r=8"],
  ] as const)("is read without an error: %s %j", (language, text) => {
    expect(() => read(text, language)).not.toThrow();
  });

  it("is not whole", () => {
    expect(read("a: [1, 2\n", "yaml").whole).toBe(false);
    expect(read("a:\n\tb: 1\n", "yaml").whole).toBe(false);
    expect(read("{\"a\": ", "json").whole).toBe(false);
    expect(read("a = \n", "toml").whole).toBe(false);
  });

  it("still shows what stands around the line that is being typed in TOML", () => {
    expect(plain(read("a = 1\nb = \nc = 3\n", "toml").root!)).toEqual({ a: 1, c: 3 });
  });

  it("of anchors that stand for more than memory holds is read in bounded time and room", () => {
    const levels = Array.from({ length: 40 }, (_, index) => `a${index}: &a${index} [${index === 0 ? "1" : `*a${index - 1}, *a${index - 1}`}]`);
    expect(read(`${levels.join("\n")}\n`, "yaml").whole).toBe(false);
  });

  it("too long to be a config is not read", () => {
    expect(read(`# ${"x".repeat(500_000)}\nr: 8\n`, "yaml")).toMatchObject({ root: null, whole: false });
  });
});
