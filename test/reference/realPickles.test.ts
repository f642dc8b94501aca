import { compareWithNumpy } from "./againstNumpy";
import { modelFiles } from "./models";

compareWithNumpy("every measure of every matrix of the real PyTorch and NumPy files, against numpy", modelFiles(/\.(pth?|bin|npz)$/));
