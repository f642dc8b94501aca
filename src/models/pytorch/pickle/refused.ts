/**
 * Names that a pickle of weights never needs and that attacks are made of: what runs programs or code, loads other
 * pickles, or reaches files, networks and the interpreter itself. RankLens runs none of them, whatever they are; it
 * refuses such files because other programs would run them. Sources: the lists of picklescan and fickling, and
 * docs.python.org, "pickle", "Restricting Globals".
 */

/** Modules of which nothing belongs beside weights; their submodules too. */
const MODULES = new Set([
  // Processes and shells.
  "os", "posix", "nt", "ntpath", "posixpath", "subprocess", "_posixsubprocess", "commands", "pty", "popen2", "multiprocessing", "concurrent", "asyncio", "signal",
  "_osx_support", "_aix_support", "_pyrepl", "pexpect", "sh", "fabric", "paramiko", "psutil",
  // Code, debuggers and imports.
  "sys", "runpy", "importlib", "imp", "_imp", "zipimport", "pkgutil", "code", "codeop", "ast", "dis", "inspect", "bdb", "pdb", "trace", "timeit", "profile", "cProfile",
  "doctest", "pydoc", "test.support", "unittest", "idlelib", "lib2to3", "distutils", "setuptools", "pkg_resources", "ensurepip", "pip", "venv", "site", "atexit", "gc", "ctypes", "_ctypes", "cffi",
  "cloudpickle", "dill", "loky", "numpy.f2py", "numpy.testing", "numpy.distutils",
  // Other pickles and stored objects.
  "pickle", "_pickle", "cPickle", "marshal", "shelve", "joblib",
  // Files.
  "shutil", "tempfile", "fileinput", "glob", "linecache", "_io", "io", "mmap", "zipfile", "tarfile", "sqlite3", "dbm",
  // Networks.
  "socket", "_socket", "ssl", "socketserver", "http", "httplib", "urllib", "urllib2", "urllib3", "requests", "aiohttp", "httpx", "ftplib", "smtplib", "poplib", "imaplib", "nntplib",
  "telnetlib", "xmlrpc", "webbrowser", "antigravity", "cgi", "wsgiref",
]);

/** Functions of modules that also hold what belongs beside weights. */
const NAMES = new Set([
  "operator.attrgetter", "operator.methodcaller", "_operator.attrgetter", "_operator.methodcaller", "operator.call", "_operator.call",
  "types.CodeType", "types.FunctionType", "types.LambdaType", "types.MethodType", "types.ModuleType",
  "functools.reduce", "itertools.starmap", "logging.FileHandler", "logging.config.listen", "uuid._get_command_stdout", "platform.popen", "platform._syscmd_ver",
  "pandas.read_pickle", "pandas.io.pickle.read_pickle", "pandas.eval", "numpy.load", "numpy.loads", "numpy.fromfile", "numpy.memmap", "numpy.ctypeslib.load_library",
  "torch.load", "torch.serialization.load", "torch.jit.load", "torch.package.PackageImporter",
  "torch.utils._config_module.ConfigModule.load_config", "torch.utils.collect_env.run", "torch.fx.experimental.symbolic_shapes.ShapeEnv.evaluate_guards_expression",
  "torch.utils.data.datapipes.utils.decoder.basichandlers", "torch.fx._symbolic_trace.Tracer", "torch.distributed.rpc.internal._handle_exception",
  "sympy.sympify", "sympy.parsing.sympy_parser.parse_expr",
]);

/** Modules of PyTorch that load or compile code. */
const BELOW = ["torch.hub", "torch.utils.cpp_extension", "torch._inductor", "torch._dynamo.guards", "torch.utils.bottleneck", "torch.ops", "torch.classes.load", "torch.jit.unsupported_tensor_ops", "torch.fx.graph_module"];

/** What belongs beside weights of Python's builtins; all else there is refused. */
const BUILTINS = new Set([
  "object", "dict", "list", "tuple", "set", "frozenset", "int", "float", "complex", "bool", "str", "bytes", "bytearray", "slice", "range", "type", "getattr", "Ellipsis", "NoneType", "NotImplemented", "property",
  "print", "len", "min", "max", "sum", "abs", "round", "long", "unicode", "xrange", "basestring", "reversed", "enumerate", "zip", "iter", "sorted", "pow", "divmod",
  "hash", "repr", "any", "all", "staticmethod", "classmethod", "memoryview", "super",
]);

/** Steps of a dotted name that lead from an object to the interpreter. */
const INNER = /^(?:system|popen|spawn\w*|exec\w*|eval|compile|__import__|__builtins__|__globals__|__subclasses__|__getattribute__|__code__|__class__|__base__|__bases__|__mro__|__dict__|__init__|__reduce\w*__|__loader__|__spec__|f_globals|gi_frame)$/;

/** Whether a global is one that other programs must not be given; `module` as Python 3 names it. */
export function isRefused(module: string, name: string): boolean {
  const steps = name.split(".");
  if (module === "builtins") return !BUILTINS.has(steps[0]!) && !/^[A-Z]\w*(?:Error|Exception|Warning)$/.test(steps[0]!);
  const root = module.split(".")[0]!;
  if (MODULES.has(root) || [...prefixes(module)].some((prefix) => MODULES.has(prefix))) return true;
  const full = `${module}.${name}`;
  if ([...prefixes(full)].some((prefix) => NAMES.has(prefix) || BELOW.includes(prefix))) return true;
  // "torch.serialization" "os.system": a module by way of another one that imports it.
  return steps.length > 1 && steps.some((step, index) => INNER.test(step) || (index < steps.length - 1 && MODULES.has(step)))
    || MODULES.has(name) || (steps.length === 1 && /^(?:system|popen|eval|exec|execfile|__import__|__builtins__)$/.test(name));
}

function* prefixes(dotted: string): Generator<string> {
  for (let end = dotted.indexOf("."); end >= 0; end = dotted.indexOf(".", end + 1)) yield dotted.slice(0, end);
  yield dotted;
}
