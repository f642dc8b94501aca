import { FileBytes } from "../fileBytes";
import type { OpenOptions } from "../model";
import { ExternalData } from "./external";
import { linkModel } from "./graph";
import { sortTensors } from "./layers";
import { parseModel, type ModelRecord } from "./modelProto";
import type { TensorRecord } from "./tensorProto";
import { WireReader } from "./wire";

export interface LocatedLayer {
  readonly record: TensorRecord;
  readonly quantized: boolean;
}

/** Where the weights of a model's layers are, by the names that the opened model gives them. @throws Fault */
export async function locateLayers(path: string, options: OpenOptions): Promise<{ layers: ReadonlyMap<string, LocatedLayer>; model: ModelRecord; external: ExternalData }> {
  const file = await FileBytes.open(path);
  try {
    const model = await parseModel(file);
    const external = new ExternalData(file.path, options.allowExternalDataOutside);
    const { layers } = await sortTensors(await linkModel(new WireReader(file), model), external, options);
    return { model, external, layers: new Map(layers.map(({ layer, record, quantization }) => [layer.tensor.name, { record, quantized: quantization !== null }])) };
  } finally {
    await file.close();
  }
}
