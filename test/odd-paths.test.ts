import { cpSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openProject } from "scythe-ts";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { assertVerified, comparable, FICKLE, FicklePlace, specsText } from "./fickle.ts";

/** Folders whose names mean something to DuckDB, to a shell or in a URL: to a run they are folders. */
const ODD = {
  "key=value": join("n=99", "value=7", "kind=x", "parity=q", "sort_index=4", "tenth=2"),
  patterns: join("a*b", "**", "x[1]", "[!y]", "q?"),
  others: join("it's", '"quoted"', "sp ace", "ünï 北京", "%20 %zz", "{a,b};$HOME #", "back\\slash"),
};
/** What the patterns fit, were they taken for patterns. */
const DECOY = join("ab", "ab", "x1", "z", "qq");

const isTable = (path: string) => statSync(path).isDirectory() || path.endsWith(".pq");

const folder = mkdtempSync(join(tmpdir(), "scythe-odd-"));
const before = process.env.TMPDIR;
afterEach(() => {
  if (before === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = before;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Puts other tables where a pattern would find them. */
type Decoy = (first: string, extended: string) => void;

interface Told {
  extended: unknown;
  retried: unknown;
  sums: unknown;
}

/** A run of a tree, extended, its failed specs run again; the specs come from a file and name an input file. */
async function everything(place: FicklePlace, engine: "inline" | "local", decoy?: Decoy): Promise<Told> {
  const source = join(place.mended, "source.txt");
  writeFileSync(source, "a source");
  place.mend("quick");
  const specs = (from: number, to: number) => place.specs(from, to).map((spec) => ({ ...spec, source }));
  const file = join(place.mended, "specs.json");
  writeFileSync(file, specsText(specs(0, 9)));
  await using scythe = await openProject(FICKLE, { storage: place.storage, engine });
  const options = { seed: 5, chunkSize: 2, recursion: { factor: 2, maxDepth: 1 } };
  const first = await scythe.allocate("fickle", file, options);
  expect((await first.result()).report).toMatchObject({ allocated: 9, succeeded: 8, failed: 1 });
  const run = await scythe.extend("fickle", specs(9, 14));
  const extended = await comparable(await run.result());
  decoy?.(first.experimentId, run.experimentId);
  place.mend("throws", "bad");
  const whole = await (await scythe.retry("fickle"))!.result();
  expect(whole.report).toMatchObject({ allocated: 14, succeeded: 14, failed: 0 });
  for (const id of [first.experimentId, run.experimentId]) await assertVerified(scythe, id);
  const { tables } = await scythe.audit.diff(first.experimentId, run.experimentId);
  expect(tables.find(({ table }) => table === "scalars")).toMatchObject({ rows_a: 8, rows_b: 8, only_a: 0, only_b: 0 });
  const sums = await whole.query("SELECT sum(n) AS n, sum(value) AS value, min(parity) AS parity FROM scalars");
  return { extended, retried: await comparable(whole), sums };
}

describe.each(["inline", "local"] as const)("on %s, a run", (engine) => {
  let plain: Told;
  beforeAll(async () => {
    plain = await everything(new FicklePlace(join(folder, engine, "plain")), engine);
  }, 120_000);

  it.each(Object.keys(ODD) as (keyof typeof ODD)[])(
    "is the same in folders with %s in their names",
    async (kind) => {
      const root = join(folder, engine, kind);
      const temporary = join(root, "t", ODD[kind]);
      mkdirSync(temporary, { recursive: true });
      process.env.TMPDIR = temporary;
      const place = new FicklePlace(join(root, ODD[kind]));
      const decoy: Decoy = (first, extended) => {
        const data = join(root, DECOY, "data");
        cpSync(place.storage, data, { recursive: true });
        cpSync(join(data, first), join(data, extended), { recursive: true, filter: isTable });
      };
      expect(await everything(place, engine, decoy)).toEqual(plain);
    },
    120_000,
  );
});
