import { join } from "node:path";
import { hashFile } from "../../files/artifacts.ts";
import { listAll } from "../../storage/storage.ts";
import type { SqlRow } from "../../table/duckdb.ts";
import { identifier } from "../../table/sql.ts";
import { pathInRun, writeListing } from "../file-listing.ts";
import { type Example, view } from "./columns.ts";
import type { Side } from "./two-runs.ts";

/** Output files of one field. */
export interface FilesDiff {
  field: string;
  compared: number;
  equal: number;
  different: number;
  /** `size`: too many, or too far away, to read each. */
  by: "content" | "size";
  /** Sizes of the first that differ. */
  examples: Example[];
}

/** Files of one field that are read to be compared. */
const MOST_READ = 20_000;
const SHOWN = 3;

/** Output files of matched specs by size, and by content where both runs lie on this machine. */
export async function compareFiles(
  a: Side,
  b: Side,
  outputs: readonly string[],
  scratch: string,
): Promise<FilesDiff[]> {
  const [left, right] = [a.tables.get("result_file_refs"), b.tables.get("result_file_refs")];
  if (!left || !right) return [];
  for (const side of [a, b]) await openListing(side, scratch);
  const fields = [...left].filter(
    ([name, type]) => outputs.includes(name) && right.get(name) === type && /^VARCHAR(\[\])?$/.test(type),
  );
  const diffs: FilesDiff[] = [];
  for (const [field, type] of fields) diffs.push(await compareField(a, b, field, type));
  return diffs;
}

async function openListing({ name, place: { storage, layout }, duck }: Side, scratch: string): Promise<void> {
  const files = (await listAll(storage, layout.results)).map(({ key, size }) => ({
    path: layout.within(key),
    bytes: size,
  }));
  const rows = await writeListing(join(scratch, `${name}-listing.pq`), { path: "string", bytes: "float64" }, files);
  await duck.run(`CREATE VIEW listing_${name} AS FROM ${rows}`, "Could not list output files");
}

async function compareField(a: Side, b: Side, field: string, type: string): Promise<FilesDiff> {
  const { duck } = a;
  const side = (own: Side, index: string) => {
    const name = `t.${identifier(field)}`;
    const uris = type === "VARCHAR[]" ? name : `[${name}]`;
    return `(SELECT r.i, r.pair, r.place, r.uri, r.path, l.bytes FROM (
        SELECT i, pair, place, uri, ${pathInRun(own.place.layout, "uri")} AS path
        FROM (SELECT t.sort_index AS i, p.ib AS pair, unnest(${uris}) AS uri, generate_subscripts(${uris}, 1) AS place
          FROM ${view(own, "result_file_refs")} t
          JOIN (SELECT * FROM pairs WHERE ia IS NOT NULL AND ib IS NOT NULL) p ON p.${index} = t.sort_index)) r
      LEFT JOIN listing_${own.name} l USING (path)) ${own.name}`;
  };
  // a file elsewhere is known by its URI; a missing one equals no other
  const same = `coalesce(a.bytes = b.bytes, a.path IS NULL AND b.path IS NULL AND a.uri IS NOT DISTINCT FROM b.uri)`;
  const table = `files_${field}`;
  await duck.run(
    `CREATE OR REPLACE TABLE ${identifier(table)} AS SELECT a.i AS ia, b.i AS ib, coalesce(a.place, b.place) AS sub,
       a.path AS pa, b.path AS pb, coalesce(CAST(CAST(a.bytes AS BIGINT) AS VARCHAR) || ' bytes', a.uri) AS a,
       coalesce(CAST(CAST(b.bytes AS BIGINT) AS VARCHAR) || ' bytes', b.uri) AS b, ${same} AS same
     FROM ${side(a, "ia")} JOIN ${side(b, "ib")} ON a.pair = b.pair AND a.place = b.place`,
    "Could not compare output files",
  );
  const from = identifier(table);
  const [counts] = await duck.rows(`SELECT count(*) AS n, count(*) FILTER (WHERE same) AS same FROM ${from}`);
  const [compared, sameSize] = [Number(counts!.n), Number(counts!.same)];
  const examples = (await duck.rows(`SELECT * FROM ${from} WHERE NOT same ORDER BY ia LIMIT ${SHOWN}`)).map(exampleOf);
  const local = [a, b].every((own) => own.place.storage.localPath !== undefined);
  if (!local || sameSize > MOST_READ) {
    return { field, compared, equal: sameSize, different: compared - sameSize, by: "size", examples };
  }
  const candidates = await duck.rows(`SELECT * FROM ${from} WHERE same AND pa IS NOT NULL ORDER BY ia, sub`);
  let different = compared - sameSize;
  for (const row of candidates) {
    const [left, right] = [await contentOf(a, row.pa as string), await contentOf(b, row.pb as string)];
    if (left === right) continue;
    different++;
    if (examples.length < SHOWN) examples.push(exampleOf({ ...row, a: left, b: right }));
  }
  return { field, compared, equal: compared - different, different, by: "content", examples };
}

async function contentOf({ place: { storage, layout } }: Side, path: string): Promise<string> {
  return `sha256 ${await hashFile(storage.localPath!(layout.key(path)))}`;
}

function exampleOf(row: SqlRow): Example {
  return {
    sort_index_a: Number(row.ia),
    sort_index_b: Number(row.ib),
    sort_subindex: null,
    a: row.a as string | null,
    b: row.b as string | null,
  };
}
