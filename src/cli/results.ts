import { type Command, Option } from "commander";
import { filled, limitOption, type ProjectFlags, projectOptions, RUN_NAME } from "./options.ts";

export interface ResultsFlags extends ProjectFlags {
  sql?: string;
  table?: string;
  limit?: number;
  format: "table" | "csv" | "json";
}

const EXAMPLES = `
Examples:
  scythe results projectile
  scythe results projectile --table trajectory --limit 20
  scythe results projectile --format csv > scalars.csv
  scythe results projectile --sql "select angle, max(range) from scalars group by angle order by angle"`;

export function registerResults(program: Command): void {
  const command = program
    .command("results")
    .summary("look into a run's tables, or query them with SQL")
    .description("Shows a run's final tables and the first rows of one, prints a whole table, or answers a query.")
    .argument("<run>", RUN_NAME)
    .option("--sql <query>", "DuckDB's SQL over the run's tables", filled)
    .option("--table <name>", "the table to print (default: scalars)", filled)
    .addOption(limitOption("rows that are printed (default: 10 of a table; every row of a query, csv or json)"))
    .addOption(
      new Option("--format <format>", "how rows are printed").choices(["table", "csv", "json"]).default("table"),
    )
    .addHelpText("after", EXAMPLES);
  projectOptions(command).action(async (run: string, flags: ResultsFlags) => {
    const { showResults } = await import("./show-results.ts");
    await showResults(run, flags);
  });
}
