#!/usr/bin/env node
import { runProgram } from "./cli/program";

// `| head` closes the pipe when it has seen enough: that is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

void runProgram(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
