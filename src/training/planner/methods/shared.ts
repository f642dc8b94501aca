import { tiedGroups, type Method } from "../method";

export const tiedLora: Method = {
  id: "tied-lora", label: "Tied-LoRA", group: "adapter", formula: "r·(m + n) once for L layers, and L·(r + m)", estimated: "trainable",
  note: "Counted with the modules of one name and size sharing their factors, a vector on each side for each layer, and all of it trained, which is RankLens's choice: the paper's configurations freeze one part or another.",
  source: "Renduchintala et al. 2024, abstract", url: "https://arxiv.org/abs/2311.09578",
  trainable: ({ matrices }) => tiedGroups(matrices).reduce((all, { shape, layers }) =>
    all + shape.rank * (shape.inputs + shape.outputs) + layers * (shape.rank + shape.outputs), 0),
};

export const lotr: Method = {
  id: "lotr", label: "LoTR", group: "adapter", formula: "r·(m + n) once for L layers, and L·r²", estimated: null,
  note: "Left and right factors are shared by the modules of one name and size; each layer has a core of its own.",
  source: "Bershatsky et al. 2024, abstract", url: "https://arxiv.org/abs/2402.01376",
  trainable: ({ matrices }) => tiedGroups(matrices).reduce((all, { shape, layers }) =>
    all + shape.rank * (shape.inputs + shape.outputs) + layers * shape.rank * shape.rank, 0),
};
