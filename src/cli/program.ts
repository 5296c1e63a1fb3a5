import { Command } from "commander";
import { packageVersion } from "../run/environment.ts";
import { registerCancel, registerPause } from "./cancel.ts";
import { registerCompletion } from "./completion.ts";
import { registerCopy } from "./copy.ts";
import { registerDiff } from "./diff.ts";
import { registerDoctor } from "./doctor.ts";
import { registerDownload } from "./download.ts";
import { registerErrors } from "./errors.ts";
import { registerExtend } from "./extend.ts";
import { registerGc } from "./gc.ts";
import { registerInit } from "./init.ts";
import { registerLineage } from "./lineage.ts";
import { registerList } from "./list.ts";
import { registerLogs } from "./logs.ts";
import { registerRepro } from "./repro.ts";
import { registerResults } from "./results.ts";
import { registerResume } from "./resume.ts";
import { registerRetry } from "./retry.ts";
import { registerRun } from "./run.ts";
import { registerShow } from "./show.ts";
import { registerVerify } from "./verify.ts";
import { registerWatch } from "./watch.ts";
import { registerWorker } from "./worker.ts";

const EXIT_CODES = `
Exit codes:
  0 all specs succeeded   1 internal error   2 usage or invalid input
  3 finished with failed specs; verify found something wrong; diff found a difference
  4 storage, engine or credentials unreachable   5 cancelled or timed out   130 interrupted

Data goes to stdout, everything else to stderr. Every command takes --json.
A run is named by <experiment> (its latest), <experiment>@<version> or <experiment>@<version>/<timestamp>.`;

const COMMANDS = [
  registerInit,
  registerRun,
  registerResume,
  registerRetry,
  registerExtend,
  registerWatch,
  registerPause,
  registerCancel,
  registerWorker,
  registerDoctor,
  registerList,
  registerShow,
  registerResults,
  registerErrors,
  registerLogs,
  registerDiff,
  registerLineage,
  registerRepro,
  registerVerify,
  registerDownload,
  registerCopy,
  registerGc,
  registerCompletion,
];

/** The command line. Commands load what they need when they run, so that this is quick. */
export function createProgram(): Command {
  const program = new Command("scythe")
    .description("Seed and reap embarrassingly parallel experiments: specs in, a handful of Parquet tables out.")
    .version(packageVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "print the help of a command")
    .configureOutput({ outputError: () => undefined }) // main.ts tells errors, as text or JSON
    .exitOverride()
    .addHelpText("after", EXIT_CODES);
  for (const register of COMMANDS) register(program);
  return program;
}
