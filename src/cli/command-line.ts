import { CommanderError } from "commander";
import { EXIT, exitCodeOf } from "./exit.ts";
import { asTyped, rememberStorage } from "./hints.ts";
import { ClosedPipe, note, outputProblem, print } from "./output.ts";
import { createProgram, namedCommand } from "./program.ts";

/** Does what a command line asks for, from its words to its exit code; errors go to stderr, or as JSON to stdout. */
export async function runCommandLine(argv: string[]): Promise<number> {
  rememberStorage(argv);
  const code = await run(argv);
  await print("").catch(() => undefined); // what is printed reaches its reader before the process ends
  return code === EXIT.ok ? lostOutput() : code;
}

/** What was printed without waiting for it (help, say) may not have been written. */
async function lostOutput(): Promise<number> {
  const problem = outputProblem();
  return problem ? report(problem) : EXIT.ok;
}

async function run(argv: string[]): Promise<number> {
  if (argv[2] === "__complete") return complete(argv.slice(3));
  try {
    await (await createProgram(argv.slice(2))).parseAsync(argv);
    return Number(process.exitCode ?? EXIT.ok);
  } catch (thrown) {
    if (thrown instanceof ClosedPipe) return EXIT.ok;
    return report(thrown, argv.slice(2)).catch(() => EXIT.internal);
  }
}

/** A shell's request to complete the words after `scythe`; flags among them are not parsed. */
async function complete(words: string[]): Promise<number> {
  process.stderr.write = () => true;
  process.on("uncaughtException", () => process.exit(EXIT.ok));
  const { printCompletions } = await import("./completion/complete.ts");
  await printCompletions(words).catch(() => undefined);
  return EXIT.ok;
}

/** Reports an error as text for a person or, with `--json`, as JSON for a program. @param words those after `scythe` */
async function report(thrown: unknown, words: readonly string[] = []): Promise<number> {
  const usage = thrown instanceof CommanderError ? await asUsageError(thrown, words) : undefined;
  if (usage === "printed") return thrown instanceof CommanderError && thrown.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const error = usage ?? thrown;
  const { errorJson, errorText } = await import("./view/error-text.ts");
  const text = `${asTyped(JSON.stringify(errorJson(error), null, 2))}\n`;
  const printed =
    words.includes("--json") &&
    (await print(text).then(
      () => true,
      () => false, // stdout itself is what fails
    ));
  const { styleFor } = await import("./view/style.ts");
  const debug = Boolean(process.env.SCYTHE_DEBUG);
  if (!printed || debug) note(errorText(error, styleFor(process.stderr), debug));
  return exitCodeOf(error);
}

/** Commander's own errors in our words; help and version have been printed already. */
async function asUsageError(error: CommanderError, words: readonly string[]) {
  if (error.exitCode === 0 || error.code === "commander.help") return "printed";
  const { ScytheError } = await import("../errors.ts");
  const [what, ...suggestion] = error.message.replace(/^error: /, "").split("\n");
  const near = suggestion.join(" ").replace(/[()]/g, "");
  const help = ["scythe", namedCommand(words), "--help"].filter(Boolean).join(" ");
  return new ScytheError("invalid_input", what!, { hint: `${near ? `${near} ` : ""}See \`${help}\`.` });
}
