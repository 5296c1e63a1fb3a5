#!/usr/bin/env node
import { runCommandLine } from "./command-line.ts";
import { keepOutputErrors } from "./output.ts";

keepOutputErrors();
process.setSourceMapsEnabled(true); // stacks of a TypeScript project name its own lines
process.exit(await runCommandLine(process.argv));
