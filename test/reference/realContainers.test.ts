import { compareWithNumpy } from "./againstNumpy";
import { modelFiles } from "./models";

compareWithNumpy("every measure of every matrix of the real GGUF, Keras and TensorFlow models, against numpy", modelFiles(/\.(gguf|h5|hdf5|tflite)$|saved_model\.pb$/));
