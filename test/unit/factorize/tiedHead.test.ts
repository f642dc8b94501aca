import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { perPosition } from "../../../src/factorize/multiplyAdds";
import { isTarget, type Output } from "../../../src/factorize/source";
import { openSource } from "../../../src/factorize/sources";
import { openModel } from "../../../src/models/formats";
import { DEFAULT_OPEN_OPTIONS } from "../../../src/models/model";
import { noise, writeModel } from "../../engine/support/modelFiles";
import { folder } from "../support/folders";

const [VOCABULARY, DIM] = [40, 8];
/** One block's only matrix. */
const BLOCK = DIM * DIM;
const HEAD = VOCABULARY * DIM;

interface Made {
  readonly config?: object;
  readonly prefix?: string;
  readonly head?: true;
}

async function opened({ config, prefix = "model.", head }: Made, output: Output = "reconstructed") {
  const at = folder();
  const path = writeModel(at, "model.safetensors", {
    [`${prefix}embed_tokens.weight`]: noise(1, VOCABULARY, DIM), [`${prefix}layers.0.self_attn.q_proj.weight`]: noise(2, DIM, DIM),
    ...(head === true ? { "lm_head.weight": noise(3, VOCABULARY, DIM) } : {}),
  });
  if (config !== undefined) writeFileSync(join(at, "config.json"), JSON.stringify(config));
  const model = await openModel(path);
  const source = await openSource(model, DEFAULT_OPEN_OPTIONS, output);
  await Promise.all([source.close(), model.close()]);
  return { source, counted: perPosition(source) };
}

describe("the multiply-adds of a head", () => {
  it.each<[string, Made]>([
    ["that config.json ties to the embedding", { config: { tie_word_embeddings: true } }],
    ["of the text model of several", { config: { text_config: { tie_word_embeddings: true } } }],
    ["that an architecture has, and its file does not", { config: { architectures: ["GPT2LMHeadModel"] }, prefix: "" }],
    ["of a model around another, without a config", {}],
    ["with a tensor of its own", { head: true }],
    ["with a tensor of its own, whatever config.json says", { head: true, config: { tie_word_embeddings: true } }],
  ])("%s count once", async (_, made) => {
    const { counted } = await opened(made);
    expect(counted.total).toBe(BLOCK + HEAD);
    expect(counted.per).toMatch(made.head === true ? /^one position of each layer$/ : /and of the head that shares the embedding$/);
  });

  it.each<[string, Made]>([
    ["config.json says that it is not tied", { config: { tie_word_embeddings: false, architectures: ["LlamaForCausalLM"] } }],
    ["the model has none", { config: { architectures: ["LlamaModel"] }, prefix: "" }],
    ["nothing tells of one", { prefix: "" }],
  ])("are not there where %s", async (_, made) => {
    expect((await opened(made)).counted.total).toBe(BLOCK);
  });
});

describe("an embedding that is the head's weight too", () => {
  it("has no factors, as one module would have to serve both, but can be multiplied out again", async () => {
    const tied: Made = { config: { tie_word_embeddings: true } };
    const { source } = await opened(tied, "factored");
    expect(source.targets[0]).toEqual({ reason: expect.stringMatching(/the head's too/) as string });
    expect(isTarget((await opened(tied)).source.targets[0]!)).toBe(true);
    expect(isTarget((await opened({ head: true }, "factored")).source.targets[0]!)).toBe(true);
  });
});
