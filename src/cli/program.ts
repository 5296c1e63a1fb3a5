import { Command } from "commander";
import { packageVersion } from "../package.ts";

/** A command as the list of all shows it; the rest of it is loaded when it is named. */
interface CommandEntry {
  usage: string;
  summary: string;
  /** A module that gives the command its options and what it does. */
  load: () => Promise<{ register(command: Command): void }>;
}

export const COMMANDS: readonly CommandEntry[] = [
  {
    usage: "init <folder>",
    summary: "make a new project with an example experiment",
    load: () => import("./commands/init.ts"),
  },
  {
    usage: "run <experiment> [specs]",
    summary: "run an experiment on specs from a file, flags or a grid",
    load: () => import("./commands/run.ts"),
  },
  {
    usage: "resume <run>",
    summary: "continue an interrupted or paused run",
    load: () => import("./commands/resume.ts"),
  },
  {
    usage: "retry <run>",
    summary: "run the failed specs of a complete run again",
    load: () => import("./commands/retry.ts"),
  },
  {
    usage: "extend <run> [specs]",
    summary: "add specs to a complete run, as a new run that computes only those",
    load: () => import("./commands/extend.ts"),
  },
  {
    usage: "watch <run>",
    summary: "follow a run that any process drives, to its end",
    load: () => import("./commands/watch.ts"),
  },
  {
    usage: "pause <run>",
    summary: "start no more specs of a run until `scythe resume`",
    load: () => import("./commands/pause.ts"),
  },
  {
    usage: "cancel <run>",
    summary: "stop a run, whichever process drives it; finished work is kept",
    load: () => import("./commands/cancel.ts"),
  },
  {
    usage: "worker",
    summary: "take work from a Hatchet server until stopped",
    load: () => import("./commands/worker.ts"),
  },
  {
    usage: "doctor",
    summary: "check storage, token, server, clock and workers, and say what to do",
    load: () => import("./commands/doctor.ts"),
  },
  {
    usage: "list [experiment]",
    summary: "list experiments, or the runs of one",
    load: () => import("./commands/list.ts"),
  },
  {
    usage: "show <run>",
    summary: "show a run's status, counts, settings and sizes",
    load: () => import("./commands/show.ts"),
  },
  {
    usage: "results <run>",
    summary: "print a run's tables, or query them with SQL",
    load: () => import("./commands/results.ts"),
  },
  {
    usage: "errors <run>",
    summary: "show which specs of a run failed, and why",
    load: () => import("./commands/errors.ts"),
  },
  {
    usage: "logs <run>",
    summary: "show the logs of a run's specs: ctx.log, and what they printed",
    load: () => import("./commands/logs.ts"),
  },
  {
    usage: "diff <run> <other>",
    summary: "compare two runs: schemas, code, inputs, outputs of matched specs",
    load: () => import("./commands/diff.ts"),
  },
  {
    usage: "lineage <run>",
    summary: "show what produced a run: code, environment, inputs, earlier runs",
    load: () => import("./commands/lineage.ts"),
  },
  {
    usage: "repro <run> <sort_index>",
    summary: "make a folder in which one spec runs alone",
    load: () => import("./commands/repro.ts"),
  },
  {
    usage: "sample <experiment>",
    summary: "make specs from an experiment's schema by a design",
    load: () => import("./commands/sample.ts"),
  },
  {
    usage: "describe <run>",
    summary: "show how outputs are spread, what they correlate with, and where specs fail",
    load: () => import("./commands/describe.ts"),
  },
  {
    usage: "sensitivity <run>",
    summary: "say which inputs the outputs depend on",
    load: () => import("./commands/sensitivity.ts"),
  },
  {
    usage: "verify <run>",
    summary: "check a run's tables and files, and run a sample of its specs again",
    load: () => import("./commands/verify.ts"),
  },
  {
    usage: "download <run>",
    summary: "download a run's tables and files to a folder",
    load: () => import("./commands/download.ts"),
  },
  {
    usage: "copy <run> <target>",
    summary: "copy a complete run to another storage",
    load: () => import("./commands/copy.ts"),
  },
  {
    usage: "gc [experiment]",
    summary: "remove what complete runs no longer need",
    load: () => import("./commands/gc.ts"),
  },
  {
    usage: "completion <shell>",
    summary: "print a script that completes commands, flags and names in a shell",
    load: () => import("./commands/completion.ts"),
  },
];

const EXIT_CODES = `
Exit codes:
  0 all specs succeeded   1 internal error   2 usage or invalid input
  3 finished with failed specs; verify found something wrong; diff found a difference
  4 storage, engine or credentials unreachable   5 cancelled or timed out   130 interrupted

Data goes to stdout, everything else to stderr. Every command takes --json.
A run is named by <experiment> (its latest), <experiment>@<version> or <experiment>@<version>/<timestamp>.`;

/** The command that the words after `scythe` name, if there is one of that name. */
export function namedCommand(words: readonly string[]): string | undefined {
  const named = words.find((word) => !word.startsWith("-") && word !== "help");
  return COMMANDS.map(nameOf).find((name) => name === named);
}

function nameOf({ usage }: CommandEntry): string {
  return usage.split(" ")[0]!;
}

/** The command line. @param words those after `scythe`: the command that they name is loaded, and no other */
export async function createProgram(words: readonly string[]): Promise<Command> {
  const program = new Command("scythe")
    .description("Seed and reap embarrassingly parallel experiments: specs in, a handful of Parquet tables out.")
    .version(packageVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "print the help of a command")
    .configureOutput({ outputError: () => undefined }) // the caller prints errors, as text or JSON
    .exitOverride()
    .addHelpText("after", EXIT_CODES);
  const named = namedCommand(words);
  for (const listed of COMMANDS) {
    const { usage, summary, load } = listed;
    const name = nameOf(listed);
    if (name === named) (await load()).register(program.command(name).summary(summary));
    else program.command(usage).summary(summary).option("--json");
  }
  return program;
}
