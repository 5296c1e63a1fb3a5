import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openProject, type Results, type Scythe } from "scythe-ts";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { collect } from "./collect.ts";

const PROJECT = fileURLToPath(new URL("./fixtures/troubled", import.meta.url));

/** Every way of failing, among good specs; each must cost itself and nothing else. */
const EXPECTED: Record<string, { kind: string; message: RegExp; attempts?: number }> = {
  throws: { kind: "error", message: /too much/ },
  throws_undefined: { kind: "error", message: /undefined/ },
  throws_text: { kind: "error", message: /just text/ },
  throws_circular: { kind: "error", message: /Circular/ },
  hangs: { kind: "timeout", message: /did not finish within 1 s/ },
  never_settles: { kind: "timeout", message: /did not finish within 1 s/ },
  heeds_signal: { kind: "timeout", message: /did not finish within 1 s/ },
  exits: { kind: "crash", message: /exit code 0/ },
  exits_7: { kind: "crash", message: /exit code 7/ },
  aborts: { kind: "crash", message: /SIGABRT/ },
  segfaults: { kind: "crash", message: /SIGSEGV/ },
  // it might have been anybody's, so it does not use up tries; three times is no chance any more
  kills_itself: { kind: "crash", message: /3 times: the process was killed \(SIGKILL\)/, attempts: 3 },
  throws_hostile: { kind: "error", message: /throws when it is read/ },
  throws_proxy: { kind: "error", message: /throws when it is read/ },
  no_buffer: { kind: "out_of_memory", message: /allocation failed/ },
  stray_rejection: { kind: "error", message: /stray/ },
  stray_throw: { kind: "error", message: /from a timer/ },
  spawns_stubborn: { kind: "timeout", message: /did not finish/ },
  spoils_arrays: { kind: "crash", message: /became unusable/ },
  forges_end: { kind: "crash", message: /an end outside of the chunk/ },
  forges_rows: { kind: "crash", message: /rows of other specs|rows without/ },
  forges_failure: { kind: "crash", message: /a failure without a message/ },
  forges_nothing: { kind: "crash", message: /no message/ },
};
const HARMLESS = ["floods", "second_try", "dies_once", "sends", "patches_json", "writes_temp", "late_rejection"];

describe("specs that misbehave", () => {
  const storage = mkdtempSync(join(tmpdir(), "scythe-test-"));
  const specs = Object.keys(EXPECTED)
    .concat(HARMLESS)
    .flatMap((how) => [{ how: "fine" }, { how, marker: join(storage, `marker-${how}`) }, { how: "fine" }]);
  let scythe: Scythe;
  let results: Results;
  let errors: Record<string, unknown>[];

  beforeAll(async () => {
    scythe = await openProject(PROJECT, { storage });
    const run = await scythe.allocate("troubled", specs, { seed: 1 });
    results = await run.result();
    errors = await collect(results.errors());
  }, 120_000);
  afterAll(async () => {
    await scythe?.close();
    rmSync(storage, { recursive: true, force: true });
  });

  it("accounts for every spec once", async () => {
    const rows = await collect(results.rows());
    const seen = [...rows, ...errors].map((row) => (row as { sort_index: number }).sort_index).sort((a, b) => a - b);
    expect(seen).toEqual(specs.map((_, i) => i));
    expect(results.report).toMatchObject({ allocated: specs.length, failed: errors.length, missing: 0 });
  });

  it.each(Object.entries(EXPECTED))("%s costs itself only, and says why", (how, expected) => {
    const { kind, message, attempts = 2 } = expected;
    const own = errors.filter((row) => row.how === how);
    expect(own).toHaveLength(1);
    expect(own[0]).toMatchObject({ kind, attempts, worker: "ScytheWorker--Local" });
    expect(own[0]!.message).toMatch(message);
  });

  it.each(HARMLESS)("%s succeeds", (how) => {
    expect(errors.filter((row) => row.how === how)).toEqual([]);
  });

  it("keeps the cause in the stack", () => {
    expect(errors.find((row) => row.how === "throws")!.stack).toMatch(
      /RangeError: too much[\s\S]*Caused by: Error: the root/,
    );
  });

  it("kills what a spec started, however stubborn", async () => {
    const pid = Number(readFileSync(join(storage, "marker-spawns_stubborn"), "utf8"));
    // the system may take a moment to bury what was killed
    await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow(/ESRCH/), { timeout: 10_000 });
  });

  it("leaves no temporary file in storage", () => {
    const all = readdirSync(storage, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const paths = all.map((entry) => join(entry.parentPath, entry.name));
    expect(paths.filter((path) => /\.part$|\.lock$|scythe-tmp/.test(path))).toEqual([]);
  });
});

describe("outputs that a schema refuses", () => {
  const storage = mkdtempSync(join(tmpdir(), "scythe-test-"));
  afterAll(() => rmSync(storage, { recursive: true, force: true }));

  it("become rows that name field, value and rule", async () => {
    await using scythe = await openProject(PROJECT, { storage });
    const bads = ["nan", "surrogate", "nothing", "extra", "missing_file", "folder_as_file", "throwing_getter", "proxy"];
    const specs = bads
      .map((bad, n) => ({ n, bad }))
      .concat([
        { n: 9, bad: "file" },
        { n: 10, bad: "none" },
      ]);
    const results = await (await scythe.allocate("quick", specs)).result();
    const errors = await collect(results.errors());
    const messages = Object.fromEntries(
      errors.map((row) => [(row as { bad?: string }).bad, `${row.kind}: ${row.message}`]),
    );
    expect(messages).toEqual({
      nan: expect.stringMatching(/^invalid_output: .*square = NaN/),
      surrogate: expect.stringMatching(/^invalid_output: .*note = .*surrogate/),
      nothing: expect.stringMatching(/^invalid_output: .*returned nothing/),
      extra: expect.stringMatching(/^invalid_output: .*more = 1: is not a field/),
      missing_file: expect.stringMatching(/^invalid_output: .*does not exist/),
      folder_as_file: expect.stringMatching(/^invalid_output: .*not a file/),
      throwing_getter: expect.stringMatching(/^invalid_output: .*do not look/),
      proxy: expect.stringMatching(/^invalid_output: .*do not touch/),
    });
    const files = await collect(results.files("file"));
    expect(files).toHaveLength(1);
    expect(existsSync(files[0]!.path!)).toBe(true);
    expect(readFileSync(files[0]!.path!, "utf8")).toBe("n=9");
    expect(files[0]!.uri).toMatch(/results\/file\/[0-9a-f-]{36}\.txt$/);
  });
});
