import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ScytheError } from "../../errors.ts";
import { finalKeys } from "../../results/table-files.ts";
import { readInputArtifacts } from "../../run/input-artifacts.ts";
import type { Column } from "../../schema/columns.ts";
import { localCopy } from "../../storage/local-copy.ts";
import { BatchBuilder } from "../../table/batch.ts";
import { columnTypes } from "../../table/describe.ts";
import type { Duck } from "../../table/duckdb.ts";
import { parquetRows } from "../../table/parquet-sql.ts";
import { identifier } from "../../table/sql.ts";
import { parquetBytes } from "../../table/write-parquet.ts";
import type { RunPlace } from "./diff.ts";

/** One of the two runs, opened: its tables are views named `a_scalars`, `b_scalars`, … */
export interface Side {
  name: "a" | "b";
  place: RunPlace;
  duck: Duck;
  /** Table → its columns and their types. `specs` has contents in place of references to input files. */
  tables: Map<string, Map<string, string>>;
}

/** Opens both runs. @throws ScytheError `not_found` when one has no results */
export async function openSides(duck: Duck, a: RunPlace, b: RunPlace, scratch: string): Promise<[Side, Side]> {
  return [await openSide(duck, "a", a, join(scratch, "a")), await openSide(duck, "b", b, join(scratch, "b"))];
}

async function openSide(duck: Duck, name: "a" | "b", place: RunPlace, folder: string): Promise<Side> {
  const { storage, layout } = place;
  await mkdir(folder, { recursive: true });
  const keys = await finalKeys(storage, layout);
  if (!keys.has("scalars")) {
    throw new ScytheError("not_found", `Run ${layout.experimentId} has no results to compare`, {
      hint: "Only complete runs can be compared: `scythe show` says how far it is.",
    });
  }
  const tables = new Map<string, Map<string, string>>();
  for (const [table, key] of [...keys, ["specs", layout.specs] as const]) {
    const path = await localCopy(storage, key, folder);
    const columns = await columnTypes(duck, `FROM ${parquetRows(path)}`);
    const from = table === "specs" ? await specsSql(place, name, path, columns, folder) : parquetRows(path);
    await duck.run(`CREATE VIEW ${view({ name }, table)} AS FROM ${from}`, `Could not open ${table} of run ${name}`);
    tables.set(table, columns);
  }
  return { name, place, duck, tables };
}

/** The view of a table, as SQL. */
export function view({ name }: Pick<Side, "name">, table: string): string {
  return identifier(`${name}_${table}`);
}

const PLAIN = { nullable: false, optional: false, file: false };
const CONTENTS: Column[] = ["uri", "content"].map((name) => ({ name, type: { kind: "string" }, ...PLAIN }));

/** Specs whose input files are told by what they hold: the same file lies at another place in another run. */
async function specsSql(
  { storage, layout }: RunPlace,
  name: string,
  path: string,
  columns: ReadonlyMap<string, string>,
  folder: string,
): Promise<string> {
  const inputs = (await readInputArtifacts(storage, layout)).filter(({ sha256 }) => sha256 !== undefined);
  const fields = new Set(inputs.map((input) => input.path?.split("/")[1]));
  const files = [...columns].filter(([column]) => fields.has(column));
  if (files.length === 0) return parquetRows(path);
  const builder = new BatchBuilder(CONTENTS);
  for (const { uri, sha256 } of inputs) builder.append({ uri, content: `sha256:${sha256}` });
  const contents = join(folder, "contents.pq");
  await writeFile(contents, parquetBytes(builder.take()));
  const known = parquetRows(contents);
  const joins: string[] = [];
  const replaced = files.map(([column, type], i) => {
    const own = identifier(column);
    if (type === "VARCHAR[]") {
      const map = `(SELECT map_from_entries(list((uri, content))) FROM ${known})`;
      return `list_transform(s.${own}, lambda x: coalesce(${map}[x], x)) AS ${own}`;
    }
    joins.push(`LEFT JOIN ${known} f${name}${i} ON f${name}${i}.uri = s.${own}`);
    return `coalesce(f${name}${i}.content, s.${own}) AS ${own}`;
  });
  return `(SELECT s.* REPLACE (${replaced.join(", ")}) FROM ${parquetRows(path)} s ${joins.join(" ")})`;
}
