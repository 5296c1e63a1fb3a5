import { CommanderError } from "commander";
import { EXIT, exitCodeOf } from "./exit.ts";
import { asTyped, rememberStorage } from "./hints.ts";
import { ClosedPipe, note, outputProblem, print } from "./output.ts";
import { createProgram } from "./program.ts";

/** Does what a command line asks for, from its words to its exit code; errors are told on stderr, or as JSON on stdout. */
export async function runCommandLine(argv: string[]): Promise<number> {
  rememberStorage(argv);
  const code = await run(argv);
  await print("").catch(() => undefined); // what is printed reaches its reader before the process ends
  return code === EXIT.ok ? lostOutput() : code;
}

/** What was printed without waiting for it (help, say) may not have been written. */
async function lostOutput(): Promise<number> {
  const problem = outputProblem();
  return problem ? tell(problem, false) : EXIT.ok;
}

async function run(argv: string[]): Promise<number> {
  if (argv[2] === "__complete") return complete(argv.slice(3));
  try {
    await (await createProgram(argv.slice(2))).parseAsync(argv);
    return Number(process.exitCode ?? EXIT.ok);
  } catch (thrown) {
    if (thrown instanceof ClosedPipe) return EXIT.ok;
    return tell(thrown, argv.includes("--json")).catch(() => EXIT.internal);
  }
}

/** Asked by a shell for the words after `scythe`; flags among them are not ours to parse. */
async function complete(words: string[]): Promise<number> {
  process.stderr.write = () => true;
  process.on("uncaughtException", () => process.exit(EXIT.ok));
  const { printCompletions } = await import("./completion/complete.ts");
  await printCompletions(words).catch(() => undefined);
  return EXIT.ok;
}

/** Tells of an error the way the command was asked to: as text for a person, or as JSON for a program. */
async function tell(thrown: unknown, json: boolean): Promise<number> {
  const usage = thrown instanceof CommanderError ? await asUsageError(thrown) : undefined;
  if (usage === "told") return thrown instanceof CommanderError && thrown.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const error = usage ?? thrown;
  const { errorJson, errorText } = await import("./view/error-text.ts");
  const text = `${asTyped(JSON.stringify(errorJson(error), null, 2))}\n`;
  const told =
    json &&
    (await print(text).then(
      () => true,
      () => false, // stdout itself is what fails
    ));
  const { styleFor } = await import("./view/style.ts");
  const debug = Boolean(process.env.SCYTHE_DEBUG);
  if (!told || debug) note(errorText(error, styleFor(process.stderr), debug));
  return exitCodeOf(error);
}

/** Commander's own errors in our words; help and version have been printed already. */
async function asUsageError(error: CommanderError) {
  if (error.exitCode === 0 || error.code === "commander.help") return "told";
  const { ScytheError } = await import("../errors.ts");
  const [what, ...suggestion] = error.message.replace(/^error: /, "").split("\n");
  const near = suggestion.join(" ").replace(/[()]/g, "");
  return new ScytheError("invalid_input", what!, { hint: `${near ? `${near} ` : ""}See \`scythe --help\`.` });
}
