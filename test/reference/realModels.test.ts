import { compareWithNumpy } from "./againstNumpy";
import { modelFiles } from "./models";

compareWithNumpy("every measure of every matrix of the real models, against numpy", modelFiles(/\.(onnx|safetensors|safetensors\.index\.json)$/));
