import { type Command, InvalidArgumentError, Option } from "commander";

/** Options of every command that looks into a project. */
export interface ProjectFlags {
  storage?: string;
  json?: boolean;
}

export function projectOptions(command: Command): Command {
  return command
    .option("--storage <where>", "a folder or URI, instead of the project's storage", filled)
    .option("--json", "print one JSON value to stdout");
}

export const RUN_NAME = "<experiment>, <experiment>@<version>, <experiment>@<version>/<timestamp>, or an experiment_id";

/** Text that is not empty: an empty shell variable is a mistake, not a choice. */
export function filled(text: string): string {
  if (text.trim() !== "") return text;
  throw new InvalidArgumentError("It must not be empty.");
}

/** {@link filled} of an option that takes several values, or is given again. */
export function filledList(text: string, before: string[] = []): string[] {
  return [...before, filled(text)];
}

/** A whole number from `low` up. */
export function wholeNumber(low: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= low) return value;
    throw new InvalidArgumentError(`It must be a whole number, ${low} or more.`);
  };
}

/** Given again, allows another folder. */
export function allowPathOption(): Option {
  const more = (path: string, before: string[] = []) => [...before, path];
  return new Option("--allow-path <folder>", "another folder that the spec file may refer to").argParser(more);
}

/** `--limit`, where 0 means no limit. */
export function limitOption(description: string): Option {
  return new Option("--limit <n>", `${description}; 0 for all`).argParser(wholeNumber(0));
}
