import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AnyExperiment } from "../../experiment/define.ts";
import type { Column } from "../../schema/columns.ts";
import { BatchBuilder } from "../../table/batch.ts";
import { columnTypes } from "../../table/describe.ts";
import type { Duck } from "../../table/duckdb.ts";
import { parquetRows } from "../../table/parquet-sql.ts";
import { identifier, literal } from "../../table/sql.ts";
import { parquetBytes } from "../../table/write-parquet.ts";
import type { About, Subject } from "./about.ts";
import { fileOf, type TablePaths } from "./tables.ts";

const PLAIN = { nullable: false, optional: false, file: false };
const LISTING: Column[] = [
  { name: "path", type: { kind: "string" }, ...PLAIN },
  { name: "place", type: { kind: "string" }, ...PLAIN },
];

/** Every file of the run that a row names exists; files that no row names are counted. */
export async function verifyReferences(
  subject: Subject,
  about: About,
  duck: Duck,
  tables: TablePaths,
  experiment: AnyExperiment | undefined,
): Promise<void> {
  const listing = join(subject.scratch, "listing.pq");
  await writeFile(listing, parquetBytes(listingOf(subject)));
  for (const name of ["result_file_refs", "specs"]) {
    const path = tables.get(name);
    if (!path) continue;
    await subject.findings.attempt("references", fileOf(name), async () => {
      const types = await columnTypes(duck, `FROM ${parquetRows(path)}`);
      for (const column of fileColumns(name, types, about, experiment)) {
        await checkColumn(subject, duck, { name, path, listing, column, list: types.get(column) === "VARCHAR[]" });
      }
    });
  }
}

/** What is there, and what a download brought that is there no more. */
function listingOf({ objects, brought }: Subject) {
  const builder = new BatchBuilder(LISTING);
  const add = (path: string, place: string) => {
    const encoded = path.split("/").map(encodeURIComponent).join("/");
    for (const spelling of new Set([path, encoded])) builder.append({ path: spelling, place });
  };
  for (const path of objects.keys()) if (/^(results|artifacts)\//.test(path)) add(path, "there");
  for (const path of brought ?? []) if (!objects.has(path)) add(path, "lost");
  return builder.take();
}

/** File columns by the code's schema, else by that of `experiment_io_spec.yml`. */
function fileColumns(
  table: string,
  types: ReadonlyMap<string, string>,
  { ioSpec }: About,
  experiment: AnyExperiment | undefined,
): string[] {
  const texts = [...types].filter(([, type]) => type === "VARCHAR" || type === "VARCHAR[]").map(([name]) => name);
  const own = experiment && [...experiment.columns.input, ...experiment.columns.files];
  if (own) return texts.filter((name) => own.some((column: Column) => column.name === name && column.file));
  const side = (ioSpec?.properties as Record<string, { properties?: Record<string, unknown> }> | undefined)?.[
    table === "specs" ? "input" : "output"
  ];
  return texts.filter((name) => JSON.stringify(side?.properties?.[name] ?? "").includes('"uri-reference"'));
}

interface Place {
  name: string;
  path: string;
  listing: string;
  column: string;
  list: boolean;
}

async function checkColumn({ layout, findings, brought }: Subject, duck: Duck, at: Place): Promise<void> {
  const name = identifier(at.column);
  const inRun = `/${layout.experimentId}/`;
  const lostHere = brought === undefined ? "path IS NOT NULL AND coalesce(place, 'lost') = 'lost'" : "place = 'lost'";
  const [row] = await duck.rows(
    `WITH refs AS (SELECT sort_index, unnest(${at.list ? name : `[${name}]`}) AS uri FROM ${parquetRows(at.path)}),
     paths AS (SELECT sort_index, uri, CASE WHEN contains(uri, ${literal(inRun)})
       THEN substr(uri, instr(uri, ${literal(inRun)}) + ${inRun.length}) END AS path FROM refs WHERE uri IS NOT NULL),
     found AS (SELECT p.*, l.place FROM paths p LEFT JOIN ${parquetRows(at.listing)} l USING (path))
     SELECT count(*) AS n, count(*) FILTER (WHERE path IS NULL) AS outside,
       count(*) FILTER (WHERE path IS NOT NULL AND place IS NULL) AS absent,
       count(*) FILTER (WHERE place = 'lost') AS lost,
       first(path ORDER BY sort_index) FILTER (WHERE ${lostHere}) AS example
     FROM found`,
  );
  const [n, outside, absent, lost] = [row!.n, row!.outside, row!.absent, row!.lost].map(Number) as [
    number,
    number,
    number,
    number,
  ];
  const what = `${fileOf(at.name)}, ${at.column}`;
  const gone = brought === undefined ? absent + lost : lost;
  if (gone > 0) {
    const example = String(row!.example);
    const others = gone > 1 ? ` (and ${gone - 1} more that ${what} names)` : ` (${what} names it)`;
    findings.bad("references", example, `is missing${others}`);
  }
  if (absent > 0 && brought !== undefined) {
    findings.unchecked("references", `${what}: ${absent} files were not brought by the download`);
  }
  if (outside > 0) findings.unchecked("references", `${what}: ${outside} references lead out of the run`);
  findings.say("references", `${what}: ${n - outside - gone - (brought === undefined ? 0 : absent)} files are there`);
}
