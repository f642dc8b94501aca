/** Names of formats for people, by the identifier that a summary carries (the format's folder under `src/models`). */
const FORMAT_LABELS: Readonly<Record<string, string>> = {
  onnx: "ONNX", safetensors: "safetensors", pytorch: "PyTorch", gguf: "GGUF", keras: "Keras", tflite: "TensorFlow Lite",
  savedmodel: "TensorFlow SavedModel", numpy: "NumPy",
};

export function formatLabel(id: string): string {
  return FORMAT_LABELS[id] ?? id;
}
