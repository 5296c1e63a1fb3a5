import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openProject, type Results } from "scythe-ts";
import { afterAll, describe, expect, it, vi } from "vitest";
import { collect } from "./collect.ts";

const PROJECT = fileURLToPath(new URL("./fixtures/limits", import.meta.url));
const storage = mkdtempSync(join(tmpdir(), "scythe-limits-"));
afterAll(() => rmSync(storage, { recursive: true, force: true }));

type Row = Record<string, unknown>;

async function run(experiment: string, specs: Row[]): Promise<{ results: Results; errors: Row[]; rows: Row[] }> {
  await using scythe = await openProject(PROJECT, { storage });
  const results = await (await scythe.allocate(experiment, specs)).result();
  const [errors, rows] = [await collect(results.errors()), await collect(results.rows())];
  return { results, errors: errors as Row[], rows: rows as Row[] };
}

describe.skipIf(process.platform === "win32")("memoryLimit", () => {
  it("costs the spec that is above it, with all that it started, and says what was measured", async () => {
    const hows = ["fine", "buffers", "fine", "child", "heap", "fine"];
    const { errors, rows } = await run(
      "hungry",
      hows.map((how) => ({ how })),
    );
    expect(errors.map(({ how }) => how)).toEqual(["buffers", "child", "heap"]);
    for (const error of errors) {
      expect(error).toMatchObject({ kind: "out_of_memory", attempts: 1 });
      expect(error.message).toMatch(/hungry used more memory than it may: \d+(\.\d)? MB, and memoryLimit is 400 MB/);
    }
    expect(rows).toHaveLength(3);
  });

  it("makes no spec pay for the leaks of those before it", async () => {
    const hows = Array.from({ length: 24 }, (_, i) => ({ how: i % 6 === 5 ? "needs_much" : "leaks" }));
    const { errors, rows } = await run("hungry", hows);
    expect(errors).toEqual([]);
    expect(new Set(rows.map(({ pid }) => pid)).size).toBeGreaterThan(2); // processes that had grown were replaced
  });

  it("is not taken for V8's own, which ends a spec as well", async () => {
    vi.stubEnv("NODE_OPTIONS", "--max-old-space-size=64");
    try {
      const { errors, rows } = await run("heap", [{ how: "fine" }, { how: "heap" }, { how: "fine" }]);
      expect(errors).toMatchObject([{ how: "heap", kind: "out_of_memory", attempts: 2 }]);
      expect(errors[0]!.message).toMatch(/more than its process could get/);
      expect(rows).toHaveLength(2);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it("says when it leaves no room at all", async () => {
    vi.stubEnv("SCYTHE_WORKER_MEMORY_LIMIT", "20MB");
    try {
      await expect(run("large", [{ how: "fine" }])).rejects.toThrow(
        /memoryLimit of large is 20 MB, but a worker's process holds .* before its first spec/,
      );
    } finally {
      vi.unstubAllEnvs();
    }
  });
});

describe("maxOutputSize", () => {
  it("costs the spec that is above it, however it is", async () => {
    const bad = ["text", "longest", "list", "escapes", "rows"];
    const hows = bad.flatMap((how) => [how, "fine"]).concat("ten_mb");
    const { errors, rows } = await run(
      "large",
      hows.map((how) => ({ how })),
    );
    expect(errors.map(({ how }) => how)).toEqual(bad);
    for (const { kind, message } of errors) {
      expect(kind).toBe("output_too_large");
      expect(message).toMatch(/large returned more than 60 MB of outputs and table rows/);
    }
    expect(rows).toHaveLength(bad.length + 1);
  });

  it("lets many rows of 10 MB pass, in the order of their specs", async () => {
    const { rows } = await run(
      "large",
      Array.from({ length: 24 }, () => ({ how: "ten_mb" })),
    );
    expect(rows.map(({ sort_index }) => sort_index)).toEqual(Array.from({ length: 24 }, (_, i) => i));
    const text = Buffer.alloc(10e6, "tenmb").toString("latin1");
    expect(rows.every((row) => row.text === text)).toBe(true);
  });
});

describe.skipIf(process.platform !== "linux")("what a spec starts", () => {
  it("is gone when the run is over, wherever it went and however its spec ended", async () => {
    const hows = ["own_session_and_hangs", "own_session_and_exits", "own_session", "orphan", "same_group"];
    const specs = hows.map((how) => ({ how, ledger: join(storage, `ledger-${how}`) }));
    await run("parents", specs);
    for (const { how, ledger } of specs) {
      const pids = readFileSync(ledger, "utf8").trim().split("\n").map(Number);
      expect(pids.length, how).toBeGreaterThan(0);
      for (const pid of pids) {
        await vi.waitFor(() => expect(() => process.kill(pid, 0), how).toThrow(/ESRCH/), { timeout: 20_000 });
      }
    }
  });

  it("is gone soon after a run, also while the project stays open", async () => {
    const ledger = join(storage, "ledger-open");
    await using scythe = await openProject(PROJECT, { storage });
    await (await scythe.allocate("parents", [{ how: "own_session", ledger }])).result();
    const pid = Number(readFileSync(ledger, "utf8"));
    await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow(/ESRCH/), { timeout: 20_000 });
    // and the next run has a process
    const again = await (await scythe.allocate("parents", [{ how: "none", ledger }])).result();
    expect(again.report?.succeeded).toBe(1);
  });
});

describe.skipIf(process.platform === "win32")("a spec that takes its worker with it", () => {
  it("is given up after three times, and all others are done", async () => {
    const folder = mkdtempSync(join(storage, "deadly-"));
    const ledger = join(folder, "ledger");
    let lines: string[] = [];
    let id: string[] = [];
    for (let drives = 0; drives < 5 && lines.length < 2; drives++) {
      lines = await drive(folder, ledger, ...id);
      id = [lines[0]!];
    }
    expect(lines.slice(1).map((line) => JSON.parse(line))).toEqual([
      {
        n: 5,
        kind: "crash",
        name: "Quarantined",
        attempts: 3,
        message: expect.stringMatching(/deadly killed its worker 3 times.*(on ScytheWorker--Local.*){3}/),
      },
      { succeeded: 11, failed: 1 },
    ]);
    expect(readFileSync(ledger, "utf8")).toBe("begun\n".repeat(3));
    const notes = join(folder, "data", lines[0]!, "scatter-gather", "notes");
    const left = existsSync(notes) ? readdirSync(notes, { recursive: true, withFileTypes: true }) : [];
    expect(left.filter((entry) => entry.isFile())).toEqual([]);
  });
});

async function drive(...args: string[]): Promise<string[]> {
  const child = spawn(process.execPath, [join(PROJECT, "drive.mjs"), ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (more) => {
    text += more;
  });
  await once(child, "close");
  return text.trim().split("\n");
}
