import type { AnyExperiment } from "../../experiment/define.ts";
import type { Environment } from "../../run/environment.ts";
import type { ManifestDetails } from "../../run/manifest.ts";
import type { Report } from "../../run/report.ts";
import { ERRORS, finalLayout } from "../../scatter/final-columns.ts";
import { indexInputs } from "../../scatter/part-columns.ts";
import type { Column } from "../../schema/columns.ts";
import { ID_FIELDS } from "../../schema/id-columns.ts";
import { columnTypes } from "../../table/describe.ts";
import type { Duck } from "../../table/duckdb.ts";
import { parquetFacts, parquetRows } from "../../table/parquet-sql.ts";
import { sqlType } from "../../table/sql.ts";
import { sayCode } from "../code-change.ts";
import { mayHold } from "./json-schema-types.ts";
import type { Subject } from "./subject.ts";
import { fileOf, type Tables } from "./tables.ts";

/** Whether the code here has the schemas that the run was made with. Another code is no damage. */
export function sameSchema(
  { findings, manifest }: Subject,
  experiment: AnyExperiment | undefined,
  now: Environment,
): boolean {
  if (!manifest?.scythe) return false;
  if (!experiment) {
    findings.unchecked(
      "code",
      `no experiment ${manifest.experiment_name} is loaded here to compare with (with --storage, no config is)`,
    );
    return false;
  }
  if (experiment.schemaHash === manifest.scythe.schema_hash) {
    findings.say("code", `has the run's schemas; ${sayCode(manifest.scythe.environment, now)}`);
    return true;
  }
  const why = sayCode(manifest.scythe.environment, now);
  findings.unchecked("code", `has other schemas than the run was made with (no damage): ${why}`);
  return false;
}

/**
 * Columns and types of every table: exactly those of the experiment when its code is the run's, and in any case such as
 * `experiment_io_spec.yml` allows. Every table of `final/` says the report's generation.
 */
export async function verifySchema(
  subject: Subject,
  { duck, paths }: Tables,
  experiment: AnyExperiment | undefined,
): Promise<void> {
  const { findings, manifest, report } = subject;
  const expected = experiment && manifest?.scythe ? expectedTables(experiment, manifest.scythe) : undefined;
  for (const [name, path] of paths) {
    await findings.attempt("schema", fileOf(name), async () => {
      const types = await columnTypes(duck, `FROM ${parquetRows(path)}`);
      const own = expected?.get(name);
      if (own) compareColumns(subject, name, types, own);
      else if (expected) findings.bad("schema", fileOf(name), "is no table of the experiment");
      compareIoSpec(subject, name, types);
      if (name !== "specs" && report) await compareOrigin(subject, report, duck, name, path);
    });
  }
  for (const name of expected?.keys() ?? []) {
    if (report && name !== "specs" && !(name in report.final)) {
      findings.bad("schema", "report.yml", `names no table ${name}, which the experiment has`);
    }
  }
  if (expected) findings.say("schema", `columns and types of ${paths.size} tables are those of the experiment`);
  else findings.unchecked("schema", "columns were compared with experiment_io_spec.yml alone, which names no tables");
}

/** What a table begins with and ends with; computed features may stand between, when there are any. */
interface ExpectedColumns {
  first: Column[];
  last: Column[];
  features: boolean;
}

function expectedTables(experiment: AnyExperiment, details: ManifestDetails): Map<string, ExpectedColumns> {
  const inputs = [...(experiment.columns.input as Column[]), ...details.extra_columns];
  const index = [...ID_FIELDS, ...indexInputs(experiment, details)];
  const names = index.map((column) => column.name);
  const features = experiment.computedFeatures !== undefined;
  const expected = new Map<string, ExpectedColumns>([
    ["specs", { first: [...ID_FIELDS, ...inputs], last: [], features: false }],
  ]);
  for (const [table, { levels, columns }] of finalLayout(experiment, names)) {
    expected.set(table, { first: index, last: [...levels, ...columns], features });
  }
  return expected;
}

const FEATURE_TYPES = new Set(["BIGINT", "DOUBLE", "BOOLEAN", "VARCHAR"]);

function compareColumns(
  { findings }: Subject,
  table: string,
  types: ReadonlyMap<string, string>,
  { first, last, features }: ExpectedColumns,
): void {
  const actual = [...types];
  const problem = (text: string) => findings.bad("schema", fileOf(table), text);
  const compare = (column: Column, at: number) => {
    const [name, type] = actual[at] ?? [undefined, undefined];
    const own = column.name; // of an error: features may have taken it, too
    const named = name === own || (table === ERRORS && name?.replace(/^(error_)+/, "") === own);
    if (!named) problem(name === undefined ? `lacks column ${own}` : `has column ${name} where ${own} should be`);
    else if (unquoted(type!) !== unquoted(sqlType(column.type))) {
      problem(`column ${name} is ${type}, not ${sqlType(column.type)}`);
    }
  };
  first.forEach(compare);
  const between = actual.length - first.length - last.length;
  if (between < 0) {
    problem(`has ${actual.length} columns, not ${first.length + last.length}`);
    return;
  }
  const extra = actual.slice(first.length, first.length + between);
  const strange = extra.find(([, type]) => !features || !FEATURE_TYPES.has(type));
  if (strange) problem(`has a column ${strange[0]} (${strange[1]}) that the experiment does not`);
  last.forEach((column, i) => {
    compare(column, first.length + between + i);
  });
}

/** DuckDB quotes a field's name only where it must. */
function unquoted(type: string): string {
  return type.replaceAll('"', "");
}

type Side = { properties?: Record<string, unknown> };

function compareIoSpec(
  { findings, ioSpec, foreign }: Subject,
  table: string,
  types: ReadonlyMap<string, string>,
): void {
  const sides = ioSpec?.properties as { input?: Side; output?: Side } | undefined;
  const definitions = (ioSpec?.$defs ?? {}) as Record<string, unknown>;
  const own = table === "specs" ? [sides?.input] : [sides?.input, sides?.output];
  if (table !== "specs" && table !== "scalars" && table !== "result_file_refs") return;
  for (const [name, schema] of own.flatMap((side) => Object.entries(side?.properties ?? {}))) {
    const type = types.get(name);
    if (type === undefined) {
      if (table === "specs" && !foreign) {
        findings.bad("schema", fileOf(table), `lacks column ${name} of experiment_io_spec.yml`);
      }
    } else if (!mayHold(schema, type, definitions)) {
      findings.bad("schema", fileOf(table), `column ${name} is ${type}, which experiment_io_spec.yml does not allow`);
    }
  }
}

/** A retry that was cut off leaves files of two generations. */
async function compareOrigin(
  { findings, layout }: Subject,
  report: Report,
  duck: Duck,
  name: string,
  path: string,
): Promise<void> {
  const [row] = await duck.rows(
    `SELECT decode(value) AS own FROM ${parquetFacts("kv_metadata", path)} WHERE decode(key) = 'scythe'`,
  );
  const own = JSON.parse(String(row?.own ?? "{}")) as { experiment_id?: string; generation?: number };
  if (own.experiment_id !== layout.experimentId) {
    findings.bad("schema", fileOf(name), `is a table of ${own.experiment_id ?? "no run"}`);
  } else if (own.generation !== report.generation) {
    findings.bad("schema", fileOf(name), `is of generation ${own.generation}, report.yml of ${report.generation}`);
  }
}
