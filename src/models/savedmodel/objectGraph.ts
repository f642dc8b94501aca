import { readData, type Bundle } from "./bundle";
import { fieldsOf, NotAMessage, varint } from "./proto";

/** Under this key, TensorFlow 2 keeps which object of the program each tensor belongs to. */
export const OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH";
/** Length and checksum stand before the text. */
const CHECKSUM = 4;
const LONGEST = 512 * 1024 * 1024;

/**
 * Names of variables ("conv2d/kernel") by the keys under which they are stored ("layer_with_weights-0/kernel/…"), where the file has them
 * (tensorflow/core/protobuf/trackable_object_graph.proto: nodes 1, attributes 2, full_name 2, checkpoint_key 3). A damaged graph is none.
 */
export async function variableNames({ entries, data }: Bundle): Promise<ReadonlyMap<string, string>> {
  const entry = entries.find(({ key }) => key === OBJECT_GRAPH);
  const file = data[entry?.shard ?? 0];
  if (entry === undefined || file?.found === undefined || file.found === null || entry.size > LONGEST || !(entry.offset + entry.size <= file.found.size)) return new Map();
  const bytes = await readData(file, entry.offset, entry.size);
  try {
    const [length, at] = varint(bytes, 0);
    return namesIn(bytes.subarray(at + CHECKSUM, at + CHECKSUM + length));
  } catch (error) {
    if (error instanceof NotAMessage) return new Map();
    throw error;
  }
}

function namesIn(graph: Uint8Array): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const node of fieldsOf(graph)) {
    if (node.number !== 1) continue;
    for (const attribute of fieldsOf(node.bytes)) {
      if (attribute.number !== 2) continue;
      let name = "", key = "";
      for (const { number, bytes } of fieldsOf(attribute.bytes)) {
        if (number === 2) name = Buffer.from(bytes).toString();
        if (number === 3) key = Buffer.from(bytes).toString();
      }
      if (name !== "" && key !== "") names.set(key, name);
    }
  }
  return names;
}
