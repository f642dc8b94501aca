import { describe, expect, it } from "vitest";
import { layer, matrix, reason } from "../support/opened";
import { ramp } from "../support/ramp";
import { bytes, constant, floats, graph, graphAttribute, int64Tensor, intAttribute, intsAttribute, model, node, tensor, text } from "./onnxFile";
import { withModel } from "./opened";

const W = (name = "W", dims: readonly number[] = [2, 3]) => tensor(name, dims, ramp(dims.reduce((product, size) => product * size, 1)));
const rows = [[0, 1, 2], [3, 4, 5]];

/** Opens a model of these nodes and tensors. */
const opened = <T>(nodes: readonly Buffer[], initializers: readonly Buffer[], body: Parameters<typeof withModel<T>>[1]) =>
  withModel(model(graph({ nodes, initializers, inputs: ["x"], outputs: ["y"] })), body);

describe("the use of a weight", () => {
  it.each([
    ["MatMul from the right", [node("MatMul", ["x", "W"], ["y"])], "rows"],
    ["MatMul from the left", [node("MatMul", ["W", "x"], ["y"])], "columns"],
    ["Gemm", [node("Gemm", ["x", "W"], ["y"])], "rows"],
    ["Gemm with transB", [node("Gemm", ["x", "W"], ["y"], [intAttribute("transB", 1)])], "columns"],
    ["Gemm with transA from the left", [node("Gemm", ["W", "x"], ["y"], [intAttribute("transA", 1)])], "rows"],
    ["Transpose, then MatMul", [node("Transpose", ["W"], ["t"]), node("MatMul", ["x", "t"], ["y"])], "columns"],
    ["Transpose twice, then MatMul", [node("Transpose", ["W"], ["t"]), node("Transpose", ["t"], ["u"], [intsAttribute("perm", [1, 0])]), node("MatMul", ["x", "u"], ["y"])], "rows"],
    ["Identity, Cast, MatMul", [node("Identity", ["W"], ["i"]), node("Cast", ["i"], ["c"], [intAttribute("to", 1)]), node("MatMul", ["x", "c"], ["y"])], "rows"],
    ["com.microsoft FusedMatMul with transB", [node("FusedMatMul", ["x", "W"], ["y"], [intAttribute("transB", 1)], "", "com.microsoft")], "columns"],
  ])("is linear, with its inputs on the right side: %s", async (_what, nodes, input) => {
    await opened(nodes, [W()], async (found) => {
      const { kind, views } = layer(found, "W");
      expect([kind, views[0]!.input]).toEqual(["linear", input]);
      expect(await matrix(found, "W")).toEqual(rows);
    });
  });

  it("is a convolution with its groups, through the layout that another framework stores", async () => {
    await opened([node("Conv", ["x", "W"], ["y"], [intAttribute("group", 2)])], [W("W", [4, 3, 2, 2])], (found) => {
      const { kind, views } = layer(found, "W");
      expect(kind).toBe("conv");
      expect(views.map(({ part }) => part)).toEqual(expect.arrayContaining(["group:0", "group:1"]));
    });
    // Height, width, in, out, as TensorFlow stores it.
    await opened([node("Transpose", ["W"], ["t"], [intsAttribute("perm", [3, 2, 0, 1])]), node("Conv", ["x", "t"], ["y"])], [W("W", [2, 2, 3, 4])], async (found) => {
      const channel = layer(found, "W").views.findIndex(({ unfolding }) => unfolding === "channel");
      const unfolded = await matrix(found, "W", channel);
      const at = (out: number, input: number, height: number, width: number) => ((height * 2 + width) * 3 + input) * 4 + out;
      expect(unfolded.length).toBe(4);
      unfolded.forEach((row, out) => {
        expect(row).toEqual(ramp(12).map((column) => at(out, Math.floor(column / 4), Math.floor(column / 2) % 2, column % 2)));
      });
    });
  });

  it("is a transposed convolution", async () => {
    await opened([node("ConvTranspose", ["x", "W"], ["y"])], [W("W", [3, 4, 2, 2])], (found) => {
      expect(layer(found, "W").kind).toBe("conv_transpose");
    });
  });

  it.each([
    ["LSTM", "lstm", ["i", "o", "f", "c"]], ["GRU", "gru", ["z", "r", "h"]],
  ])("is an %s's gate of each direction, in ONNX's order", async (opType, kind, gates) => {
    const height = gates.length * 2;
    await opened([node(opType, ["x", "W", "R"], ["y"])], [W("W", [2, height, 3]), W("R", [2, height, 2])], async (found) => {
      expect(layer(found, "W").kind).toBe(kind);
      const parts = layer(found, "W").views.map(({ part }) => part);
      expect(parts).toEqual([0, 1].flatMap((direction) => gates.map((gate) => `direction:${direction}/gate:${gate}`)));
      expect(layer(found, "R").views.every(({ recurrent }) => recurrent)).toBe(true);
      expect((await matrix(found, "W", gates.length + 1))[0]).toEqual([0, 1, 2].map((column) => (height + 2) * 3 + column));
    });
  });

  it("names gates by what they are where an exporter reorders them (PyTorch's i, f, g, o)", async () => {
    const slice = (index: number, start: number, end: number) => [
      constant(`s${index}`, int64Tensor("", [start])), constant(`e${index}`, int64Tensor("", [end])), constant(`a${index}`, int64Tensor("", [0])),
      node("Slice", ["W", `s${index}`, `e${index}`, `a${index}`], [`w${index}`]),
    ];
    await opened([
      ...slice(0, 0, 2), ...slice(1, 6, 8), ...slice(2, 2, 6),
      node("Concat", ["w0", "w1", "w2"], ["joined"], [intAttribute("axis", 0)]),
      constant("zero", int64Tensor("", [0])), node("Unsqueeze", ["joined", "zero"], ["one"]), node("LSTM", ["x", "one", "R"], ["y"]),
    ], [W("W", [8, 3]), W("R", [1, 8, 2])], async (found) => {
      expect(layer(found, "W").views.map(({ part }) => part?.split(":").at(-1))).toEqual(["i", "f", "c", "o"]);
      expect((await matrix(found, "W", 1))[0]).toEqual([6, 7, 8]);
    });
  });

  it("is an embedding that Gather looks up, and says that it is tied", async () => {
    await opened([
      node("Gather", ["W", "x"], ["e"], [], "embed"), node("Transpose", ["W"], ["t"]), node("MatMul", ["e", "t"], ["y"], [], "head"),
    ], [W("W", [6, 4])], (found) => {
      const { kind, notes } = layer(found, "W");
      expect(kind).toBe("embedding");
      expect(notes).toEqual(expect.arrayContaining(["used by 2 nodes", "also used by MatMul head"]));
      expect(found.layers.length).toBe(1);
    });
  });

  it("is attention with q, k and v apart in com.microsoft Attention", async () => {
    await opened([node("Attention", ["x", "W"], ["y"], [], "", "com.microsoft")], [W("W", [2, 6])], (found) => {
      expect(layer(found, "W").kind).toBe("attention");
      expect(layer(found, "W").views.map(({ part }) => part)).toEqual(expect.arrayContaining(["q", "k", "v"]));
    });
  });

  it("follows a reshape to the matrix that is multiplied", async () => {
    await opened([constant("shape", int64Tensor("", [-1, 3])), node("Reshape", ["W", "shape"], ["m"]), node("MatMul", ["x", "m"], ["y"])], [W("W", [1, 2, 3])], async (found) => {
      expect(layer(found, "W").kind).toBe("linear");
      expect(await matrix(found, "W")).toEqual(rows);
    });
    await opened([constant("shape", int64Tensor("", [2, 3])), node("Reshape", ["W", "shape"], ["m"]), node("MatMul", ["x", "m"], ["y"])], [W("W", [6])], async (found) => {
      expect(await matrix(found, "W")).toEqual(rows);
    });
  });

  it("is one matrix behind axes of size 1, and one for each of a stack", async () => {
    await opened([node("MatMul", ["x", "W"], ["y"])], [W("W", [1, 1, 2, 3])], async (found) => {
      expect(layer(found, "W").kind).toBe("linear");
      expect(await matrix(found, "W")).toEqual(rows);
    });
    await opened([node("MatMul", ["x", "W"], ["y"])], [W("W", [4, 2, 3])], (found) => {
      expect(layer(found, "W").views.length).toBe(4);
      expect(layer(found, "W").notes).toContain("a stack of 4 matrices");
    });
  });

  it("is told to be packed where the operator has a packing of its own", async () => {
    await opened([node("QMoE", ["x", "p", "W", "S"], ["y"], [], "", "com.microsoft")], [tensor("W", [4, 2, 16], bytes(9, Buffer.alloc(128)), 2), W("S", [4, 2])], (found) => {
      expect(reason(found, "W")).toContain("packed in a way of QMoE's own");
      expect(reason(found, "S")).toContain("as scale of com.microsoft.QMoE");
    });
  });

  it("is not known for operators of other makers, and the tensor is measured by its own shape", async () => {
    await opened([node("Mystery", ["x", "W"], ["y"], [], "", "some.maker")], [W()], (found) => {
      expect(layer(found, "W").kind).toBe("other");
      expect(found.summary.notes).toContain("operators of some.maker");
    });
  });

  it.each([
    ["used by Add only: not a weight matrix", [node("Add", ["x", "W"], ["y"])], W()],
    ["used by no node", [], W()],
    ["one axis, used as bias of Conv: no matrix", [node("Conv", ["x", "x", "W"], ["y"])], W("W", [4])],
    ["int64, used by Reshape: not a weight", [node("Reshape", ["x", "W"], ["y"])], int64Tensor("W", [2, 3])],
    ["a single number, used by Mul", [node("Mul", ["x", "W"], ["y"])], tensor("W", [], [2])],
  ])("is none, with the reason: %s", async (why, nodes, weight) => {
    await opened(nodes, [weight], (found) => { expect(reason(found, "W")).toBe(why); });
  });

  it("is told apart from tensors under the size floor", async () => {
    const content = model(graph({ nodes: [node("MatMul", ["x", "W"], ["y"])], initializers: [W()] }));
    await withModel(content, (found) => { expect(reason(found, "W")).toBe("6 weights, fewer than the 16 from which tensors are measured"); }, { smallestTensor: 16 });
  });
});

describe("names across graphs", () => {
  const branch = (nodes: readonly Buffer[], initializers: readonly Buffer[] = []) => graph({ nodes, initializers, outputs: ["out"] });

  it("finds weights of the graph around a subgraph, and weights inside it", async () => {
    await opened([
      node("If", ["x"], ["y"], [
        graphAttribute("then_branch", branch([node("MatMul", ["x", "W"], ["out"])])),
        graphAttribute("else_branch", branch([constant("inner", W()), node("MatMul", ["x", "inner"], ["out"])])),
      ], "choice"),
    ], [W()], (found) => {
      expect(found.layers.map(({ tensor: { name }, kind }) => [name, kind])).toEqual([["W", "linear"], ["inner", "linear"]]);
    });
  });

  it("tells tensors of one name in two branches apart", async () => {
    const inner = branch([node("MatMul", ["x", "W"], ["out"])], [W()]);
    await opened([node("If", ["x"], ["y"], [graphAttribute("then_branch", inner), graphAttribute("else_branch", inner)], "choice")], [], (found) => {
      expect(found.layers.map(({ tensor: { name } }) => name)).toEqual(["W", "choice.else_branch/W"]);
    });
  });

  it("follows what a branch of If returns", async () => {
    await opened([
      node("If", ["x"], ["w"], [graphAttribute("then_branch", branch([constant("out", W())])), graphAttribute("else_branch", branch([node("Identity", ["V"], ["out"])]))], "choice"),
      node("MatMul", ["x", "w"], ["y"]),
    ], [W("V")], (found) => {
      expect(found.layers.map(({ tensor: { name }, kind }) => [name, kind])).toEqual([["V", "linear"], ["out", "linear"]]);
    });
  });

  it("does not take a subgraph's own input for the tensor of that name around it", async () => {
    const body = graph({ nodes: [node("MatMul", ["x", "W"], ["out"])], inputs: ["W"], outputs: ["out"] });
    await opened([node("Loop", ["n", "c"], ["y"], [graphAttribute("body", body)])], [W()], (found) => {
      expect(reason(found, "W")).toBe("used by no node");
    });
  });

  it("follows weights into model-local functions, and lists those inside them", async () => {
    const body = bytes(25, text(1, "Dense"), text(10, "mine"), text(4, "a"), text(4, "w"), text(5, "b"),
      bytes(7, constant("inside", W())), bytes(7, node("MatMul", ["a", "w"], ["m"])), bytes(7, node("MatMul", ["m", "inside"], ["b"])));
    await withModel(model(graph({ nodes: [node("Dense", ["x", "W"], ["y"], [], "", "mine")], initializers: [W()] }), [body]), (found) => {
      expect(found.layers.map(({ tensor: { name }, kind }) => [name, kind])).toEqual([["W", "linear"], ["inside", "linear"]]);
    });
  });

  it("lists the tensors of training information and of attributes", async () => {
    const training = bytes(20, bytes(1, graph({ nodes: [], initializers: [W("start")] })));
    const withAttribute = node("ConstantOfShape", ["x"], ["y"], [Buffer.concat([text(1, "value"), bytes(5, tensor("", [1], bytes(9, floats([1]))))])], "fill");
    await withModel(model(graph({ nodes: [withAttribute] }), [training]), (found) => {
      expect(reason(found, "start")).toContain("training information");
      expect(reason(found, "fill.value")).toContain("ConstantOfShape");
    });
  });
});

describe("where a weight stands", () => {
  it("is told by the scope of its node when its own name says nothing", async () => {
    await opened([node("MatMul", ["x", "onnx::MatMul_7"], ["y"], [], "/model/layers.3/self_attn/q_proj/MatMul")], [W("onnx::MatMul_7")], (found) => {
      const { block, module, notes } = layer(found, "onnx::MatMul_7");
      expect([block, module]).toEqual(["model.layers.3", "self_attn.q_proj"]);
      expect(notes).toContain("weight of /model/layers.3/self_attn/q_proj/MatMul");
    });
  });

  it("is told by the bias that is added after it", async () => {
    await opened([node("MatMul", ["x", "741"], ["m"], [], "MatMul_103"), node("Add", ["m", "encoder.layers.1.linear1.bias"], ["y"])],
      [W("741"), W("encoder.layers.1.linear1.bias", [3])], (found) => {
        expect([layer(found, "741").block, layer(found, "741").module]).toEqual(["encoder.layers.1", "linear1"]);
      });
  });

  it("is the order in which the model runs, whatever the order in the file", async () => {
    await opened([node("MatMul", ["x", "A"], ["m"]), node("MatMul", ["m", "B"], ["y"])], [W("B"), W("A")], (found) => {
      expect(found.layers.map(({ tensor: { name } }) => name)).toEqual(["A", "B"]);
    });
  });
});
