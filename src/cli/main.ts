#!/usr/bin/env node
import { runCommandLine } from "./command-line.ts";
import { keepOutputErrors } from "./output.ts";

keepOutputErrors();
if (process.env.SCYTHE_DEBUG) process.setSourceMapsEnabled(true); // else once a project is opened
process.exit(await runCommandLine(process.argv));
