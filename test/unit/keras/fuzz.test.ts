import { describe, expect, it } from "vitest";
import { keras } from "../../../src/models/keras/format";
import { openMutated } from "../support/mutations";
import { hdf5File } from "./hdf5Writer";
import { archive, config, dataset } from "./kerasFile";

/** Signatures, types of messages, and ends of numbers' ranges. */
const TELLING = [0, 1, 2, 3, 6, 8, 0x0b, 0x0c, 0x10, 0x11, 0x13, 0x19, 0x40, 0x7f, 0x80, 0xff];

/** A small model with everything that the reader knows: nested groups, both kinds of texts, contiguous and packed values, gates. */
const everything = () => hdf5File({
  root: {
    model_weights: {
      dense: { dense: { "kernel:0": dataset(3, 4), "bias:0": dataset(4) } }, conv: { conv: { "kernel:0": { ...dataset(3, 3, 2, 2), chunk: [2, 3, 2, 2], shuffle: true } } },
      lstm: { lstm: { "kernel:0": { ...dataset(2, 8), bigEndian: true }, "recurrent_kernel:0": dataset(2, 8), "bias:0": dataset(16) } }, half: { half: { "kernel:0": { ...dataset(2, 2), type: "float16" } } },
    },
    optimizer_weights: { "iteration:0": { shape: [], values: [1], type: "int32" } },
  },
  texts: { model_config: config(["Dense", "dense"], ["Conv2D", "conv", { groups: 1 }], ["LSTM", "lstm"], ["Dense", "half"]), keras_version: "2.9.0" },
  lists: { layer_names: ["dense", "conv", "lstm"] },
});

const inArchive = () => archive({ "metadata.json": Buffer.from("{}"), "config.json": Buffer.from(config(["Dense", "dense"])), "model.weights.h5": hdf5File({ root: { layers: { dense: { vars: { 0: dataset(2, 3) } } } } }) });

describe("a mutated file", () => {
  it.each([["of HDF5", "model.h5", everything], ["of an archive", "model.keras", inArchive]])("%s opens or gets a fault, and its weights can be read or get a fault", async (_what, name, content) => {
    const original = content();
    const codes = await openMutated(keras, name, original, [...original.keys()], TELLING);
    for (const code of ["opened", "malformed", "truncated"]) expect(codes.get(code)).toBeGreaterThan(0);
  }, 600_000);
});
