import { existsSync } from "node:fs";
import { join as joinPath } from "node:path";
import { describe, expect, it } from "vitest";
import { DEFAULT_OPEN_OPTIONS } from "../../../src/models/model";
import { pytorch } from "../../../src/models/pytorch/format";
import { folder, written } from "../support/folders";
import { archive, call, dict, floats, global, int, join, legacy, list, MARK, NEWOBJ, none, object, pickle, raw, REDUCE, STOP, tensor, text, tuple, type Code } from "./pickleFile";

/**
 * Pickles that run something in Python, after the published collections (picklescan, fickling, "Sleepy Pickle", Hugging
 * Face's reports). Each would make the file MARKER. All are refused by a sentence that names what they call.
 */
const MARKER = joinPath(folder(), "effect");
const command = text(`touch ${MARKER}`);
const python = text(`open(${JSON.stringify(MARKER)}, "w")`);
const weights = tensor({ shape: [4, 4] });

const run = (module: string, name: string, ...args: readonly Code[]): Code => call(global(module, name), ...args);

/** What it does, its opcodes, and what the sentence names. */
const ATTACKS: readonly (readonly [string, Code, string])[] = [
  ["os.system", run("os", "system", command), "os.system"],
  ["posix.system", run("posix", "system", command), "posix.system"],
  ["nt.system", run("nt", "system", command), "nt.system"],
  ["os.popen", run("os", "popen", command), "os.popen"],
  ["os.execvp", run("os", "execvp", text("sh"), list(text("sh"))), "os.execvp"],
  ["subprocess.Popen", run("subprocess", "Popen", list(text("touch"), text(MARKER))), "subprocess.Popen"],
  ["subprocess.check_output", run("subprocess", "check_output", command), "subprocess.check_output"],
  ["subprocess.Popen by NEWOBJ", join(global("subprocess", "Popen"), tuple(list(text("touch"), text(MARKER))), NEWOBJ), "subprocess.Popen"],
  ["subprocess.Popen by NEWOBJ_EX", join(global("subprocess", "Popen"), tuple(), dict(["args", command]), raw("\x92")), "subprocess.Popen"],
  ["commands.getoutput", run("commands", "getoutput", command), "commands.getoutput"],
  ["pty.spawn", run("pty", "spawn", text("sh")), "pty.spawn"],
  ["eval", run("builtins", "eval", python), "builtins.eval"],
  ["exec", run("builtins", "exec", python), "builtins.exec"],
  ["eval of Python 2", run("__builtin__", "eval", python), "__builtin__.eval"],
  ["execfile of Python 2", run("__builtin__", "execfile", text("/x.py")), "__builtin__.execfile"],
  ["apply of Python 2", run("__builtin__", "apply", none), "__builtin__.apply"],
  ["compile", run("builtins", "compile", python, text("x"), text("exec")), "builtins.compile"],
  ["open", run("builtins", "open", text(MARKER), text("w")), "builtins.open"],
  ["io.open", run("_io", "open", text(MARKER), text("w")), "_io.open"],
  ["__import__ and getattr", call(call(global("builtins", "getattr"), run("builtins", "__import__", text("os")), text("system")), command), "builtins.__import__"],
  ["breakpoint", run("builtins", "breakpoint"), "builtins.breakpoint"],
  ["importlib", run("importlib", "import_module", text("antigravity")), "importlib.import_module"],
  ["runpy", run("runpy", "_run_code", python), "runpy._run_code"],
  ["code", run("code", "interact"), "code.interact"],
  ["timeit", run("timeit", "timeit", python), "timeit.timeit"],
  ["cProfile", run("cProfile", "run", python), "cProfile.run"],
  ["pdb", run("pdb", "run", python), "pdb.run"],
  ["pip", run("pip._internal", "main", list(text("install"))), "pip._internal.main"],
  ["ctypes", run("ctypes", "CDLL", text("libc.so.6")), "ctypes.CDLL"],
  ["marshal and a function of its code", run("types", "FunctionType", run("marshal", "loads", text("x")), dict()), "types.FunctionType"],
  ["code objects", run("types", "CodeType", int(0)), "types.CodeType"],
  ["pickle in a pickle", run("pickle", "loads", text("cos\nsystem\n")), "pickle.loads"],
  ["pickle in a pickle, of C", run("_pickle", "loads", text("cos\nsystem\n")), "_pickle.loads"],
  ["torch.load", run("torch.serialization", "load", text("/other.pt")), "torch.serialization.load"],
  ["numpy.load", run("numpy", "load", text("/other.npy")), "numpy.load"],
  ["pandas.read_pickle", run("pandas", "read_pickle", text("/other.pkl")), "pandas.read_pickle"],
  ["joblib", run("joblib", "load", text("/other")), "joblib.load"],
  ["dill", run("dill._dill", "_create_function", none), "dill._dill._create_function"],
  ["cloudpickle", run("cloudpickle.cloudpickle", "_builtin_type", text("CodeType")), "cloudpickle.cloudpickle._builtin_type"],
  ["torch.hub", run("torch.hub", "load", text("a/b"), text("c")), "torch.hub.load"],
  ["torch's exec wrapper", run("torch.jit.unsupported_tensor_ops", "execWrapper", python, dict(), dict()), "torch.jit.unsupported_tensor_ops.execWrapper"],
  ["numpy's exec", run("numpy.testing._private.utils", "runstring", python, dict()), "numpy.testing._private.utils.runstring"],
  ["numpy's eval", run("numpy.f2py.crackfortran", "getlincoef", python, dict()), "numpy.f2py.crackfortran.getlincoef"],
  ["functools.partial of os.system", run("functools", "partial", global("os", "system"), command), "os.system"],
  ["map over eval", run("builtins", "map", global("builtins", "len"), list(command)), "builtins.map"],
  ["operator.attrgetter", call(run("operator", "attrgetter", text("system")), text("os")), "operator.attrgetter"],
  ["operator.methodcaller", run("_operator", "methodcaller", text("system"), command), "_operator.methodcaller"],
  ["shutil.rmtree", run("shutil", "rmtree", text("/nowhere")), "shutil.rmtree"],
  ["socket", run("socket", "create_connection", tuple(text("127.0.0.1"), int(9))), "socket.create_connection"],
  ["urllib", run("urllib.request", "urlopen", text("http://127.0.0.1:9/")), "urllib.request.urlopen"],
  ["requests", run("requests.api", "get", text("http://127.0.0.1:9/")), "requests.api.get"],
  ["webbrowser", run("webbrowser", "open", text("http://127.0.0.1:9/")), "webbrowser.open"],
  ["logging.FileHandler", run("logging", "FileHandler", text(MARKER)), "logging.FileHandler"],
  ["a module that another one imports", run("torch.serialization", "os.system", command), "torch.serialization.os.system"],
  ["a module that another one imports, by getattr", call(call(global("builtins", "getattr"), global("torch.serialization", "os"), text("system")), command), "torch.serialization.os"],
  ["the way through a class to the interpreter", run("torch", "Tensor.__class__.__subclasses__"), "torch.Tensor.__class__.__subclasses__"],
  ["what a call returned", call(run("mylib", "make"), command), "a call of what mylib.make returned"],
  ["a method of an object", call(call(global("builtins", "getattr"), object("mylib", "Thing", dict()), text("run")), command), "a call of what builtins.getattr returned"],
  ["attributes of a class itself", join(global("torch.nn.modules.linear", "Linear"), dict(["forward", command]), raw("b")), "an assignment to attributes of torch.nn.modules.linear.Linear itself"],
  ["STACK_GLOBAL", join(text("os"), text("system"), raw("\x93"), tuple(command), REDUCE), "os.system"],
  ["STACK_GLOBAL of remembered texts", join(text("os"), raw("\x94"), raw("0"), text("system"), raw("\x94"), raw("0"), raw("h\x00h\x01\x93"), tuple(command), REDUCE), "os.system"],
  ["INST", join(MARK, command, raw("ios\nsystem\n")), "os.system"],
  ["OBJ", join(MARK, global("os", "system"), command, raw("o")), "os.system"],
  ["a result that is dropped", join(run("os", "system", command), raw("0"), dict()), "os.system"],
  ["an extension's number", raw("\x82\x01"), "EXT1"],
  ["a buffer from outside", raw("\x97"), "NEXT_BUFFER"],
  ["a persistent identifier as text", raw("Pos.system\n"), "PERSID"],
];

const beside = (attack: Code): Code => dict(["weight", weights], ["extra", attack]);
const content = { "0": floats(16) };

async function refusal(bytes: Uint8Array, name: string): Promise<unknown> {
  return pytorch.open(written(bytes, name), DEFAULT_OPEN_OPTIONS).then(() => "opened", (error: unknown) => error);
}

describe("a pickle that attacks", () => {
  it.each(ATTACKS)("by %s is refused by name, in every kind of file, without effect", async (_what, attack, named) => {
    const files: [Uint8Array, string][] = [
      [archive(pickle(beside(attack), 4), content), "model.pt"],
      [archive(pickle(beside(attack), 4), content, [], true), "model.ckpt"],
      [legacy(beside(attack), content), "model.pth"],
      [pickle(attack, 4), "model.bin"],
      [archive(pickle(weights), content, [{ name: "archive/constants.pkl", content: pickle(tuple(attack)) }]), "script.pt"],
    ];
    for (const [bytes, name] of files) {
      expect(await refusal(bytes, name)).toMatchObject({ name: "Fault", code: "unsupported", message: expect.stringContaining(named) });
    }
    expect(existsSync(MARKER)).toBe(false);
  });

  it("is refused in the facts about the machine that a legacy file begins with", async () => {
    const whole = legacy(weights, content);
    const facts = pickle(dict(["little_endian", raw("\x88")]));
    const at = whole.indexOf(facts);
    const attacked = Buffer.concat([whole.subarray(0, at), pickle(run("os", "system", command)), whole.subarray(at + facts.length)]);
    expect(await refusal(attacked, "model.pt")).toMatchObject({ code: "unsupported", message: expect.stringContaining("os.system") });
  });

  it("is refused without protocol, as Python 2 wrote it", async () => {
    expect(await refusal(raw(`cos\nsystem\n(S'touch ${MARKER}'\ntR.`), "model.bin")).toMatchObject({ code: "unsupported", message: expect.stringContaining("os.system") });
    expect(await refusal(raw(`c__builtin__\neval\n(S'open("${MARKER}", "w")'\ntR.`), "model.bin")).toMatchObject({ code: "unsupported", message: expect.stringContaining("__builtin__.eval") });
  });

  it("is never read where nothing leads to it: behind the end, in code, in other entries", async () => {
    const attack = pickle(run("os", "system", command));
    const further = ["archive/code/__torch__.py", "archive/other.pkl", "archive/.data/data.pkl"].map((name) => ({ name, content: attack }));
    const model = await pytorch.open(written(archive(join(pickle(dict(["weight", weights])), attack), content, further), "model.pt"), DEFAULT_OPEN_OPTIONS);
    expect(model.layers.map(({ tensor: { name } }) => name)).toEqual(["weight"]);
    expect(existsSync(MARKER)).toBe(false);
  });

  it("says that nothing was run, and what to do", async () => {
    expect(await refusal(archive(pickle(run("os", "system", command))), "model.pt")).toMatchObject({
      message: expect.stringMatching(/^archive\/data\.pkl of model\.pt names os\.system at byte \d+, which no weights need .* ran nothing of it\.$/),
      next: "Do not load this file elsewhere unless you trust who made it; ask for safetensors instead.",
    });
  });
});

describe("an object that RankLens does not know", () => {
  it.each([
    ["a namespace", object("argparse", "Namespace", dict(["lr", int(1)]))],
    ["a path", run("pathlib", "PosixPath", text("/"), text("data"))],
    ["an enumeration", run("mylib.config", "Mode", text("train"))],
    ["a class of a script", object("__main__", "Trainer", dict(["step", int(3)]))],
    ["a partial function", run("functools", "partial", global("torch.nn.modules.normalization", "LayerNorm"))],
    ["a class in a class", join(call(global("builtins", "getattr"), global("mylib", "Outer"), text("Inner")), tuple(), NEWOBJ)],
    ["a NumPy scalar", run("numpy.core.multiarray", "scalar", run("numpy", "dtype", text("f8")), text("x"))],
    ["an iterator", run("builtins", "iter", list(int(1)))],
    ["a compiled module", object("torch._dynamo.eval_frame", "OptimizedModule", dict(["_modules", dict()]))],
    ["a generator of NumPy", run("numpy.random._pickle", "__randomstate_ctor", text("MT19937"))],
    ["an optimizer", object("torch.optim.adam", "Adam", dict(["state", dict()]))],
  ])("%s is passed over, and the tensors beside it are read", async (_what, unknown) => {
    const model = await pytorch.open(written(archive(pickle(beside(unknown)), content), "model.pt"), DEFAULT_OPEN_OPTIONS);
    expect(model.layers.map(({ tensor: { name } }) => name)).toEqual(["weight"]);
    expect(Array.from(await model.read(model.layers[0]!.tensor))).toEqual(Array.from({ length: 16 }, (_, i) => i));
  });

  it("is looked through: tensors inside of it are found by the names of its attributes", async () => {
    const unknown = object("__main__", "Trainer", dict(["best", dict(["weight", weights])]));
    const model = await pytorch.open(written(archive(join(pickle(unknown), STOP), content), "model.pt"), DEFAULT_OPEN_OPTIONS);
    expect(model.layers.map(({ tensor: { name } }) => name)).toEqual(["best.weight"]);
    expect(model.summary.notes).toContain("holds objects that RankLens does not know, looked through for tensors: __main__.Trainer");
  });
});
