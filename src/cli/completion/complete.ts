import type { Argument, Command, Option } from "commander";
import { print } from "../output.ts";
import { createProgram } from "../program.ts";
import type { Candidate } from "./candidate.ts";

/** The shell waits: names that are not known by then are not offered. */
const GIVE_UP_MS = 2_500;

/**
 * Prints what the last of the words may become, a line each. Whatever goes wrong, it prints nothing and the shell
 * offers the names of files. @param words those after `scythe`, the last one unfinished
 */
export async function printCompletions(words: readonly string[]): Promise<void> {
  const late = new Promise<Candidate[]>((resolve) => setTimeout(resolve, GIVE_UP_MS, []).unref());
  const candidates = await Promise.race([candidatesFor(words), late]).catch(() => []);
  const word = words.at(-1) ?? "";
  const fitting = candidates.filter(({ text }) => text.startsWith(word) && !/[\t\n]/.test(text));
  const lines = fitting.map(({ text, about }) => (about ? `${text}\t${about.replace(/\s+/g, " ")}\n` : `${text}\n`));
  await print(lines.join(""));
}

async function candidatesFor(words: readonly string[]): Promise<Candidate[]> {
  const program = await createProgram(words.slice(0, 1));
  const commands = program.commands.map((command) => ({ text: command.name(), about: command.summary() }));
  const [name, ...rest] = words;
  if (words.length <= 1) return name?.startsWith("-") ? flagsOf(program) : [...commands, { text: "help" }];
  if (name === "help") return words.length === 2 ? commands : [];
  const command = program.commands.find((candidate) => candidate.name() === name);
  if (!command) return [];
  const { option, argument } = placeOf(command, rest);
  if (option) return (option.argChoices ?? []).map((text) => ({ text }));
  if (rest.at(-1)?.startsWith("-")) return flagsOf(command);
  if (argument?.argChoices) return argument.argChoices.map((text) => ({ text }));
  if (argument?.name() !== "run" && argument?.name() !== "experiment") return [];
  const { namesFor } = await import("./names.ts");
  return namesFor(argument, rest);
}

/** What the last word is: the value of an option, or an argument. */
function placeOf(command: Command, words: readonly string[]): { option?: Option; argument?: Argument } {
  let operands = 0;
  let open: Option | undefined;
  for (const word of words.slice(0, -1)) {
    if (word.startsWith("-")) {
      const known = command.options.find(({ long, short }) => long === word || short === word);
      open = known && (known.required || known.optional) ? known : undefined;
    } else if (open) open = open.variadic ? open : undefined;
    else operands++;
  }
  if (open && !words.at(-1)?.startsWith("-")) return { option: open };
  const argument = command.registeredArguments[operands];
  return argument ? { argument } : {};
}

function flagsOf(command: Command): Candidate[] {
  const options = command.options.filter((option) => option.long && !option.hidden);
  const own = options.map((option) => ({ text: option.long!, about: option.description }));
  return [...own, { text: "--help", about: "print this help" }];
}
