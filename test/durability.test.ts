import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { collect } from "./collect.ts";

const CRASHER = fileURLToPath(new URL("./fixtures/durable/drive.mjs", import.meta.url));

interface Driver {
  line: Promise<string>;
  kill(): Promise<void>;
  done: Promise<unknown>;
}

/** A process that allocates (or drives on) a run of specs that note each execution in a file. */
function drive(...args: string[]): Driver {
  const child = spawn(process.execPath, [CRASHER, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const done = once(child, "exit");
  return {
    line: once(child.stdout.setEncoding("utf8"), "data").then(([text]) => String(text).trim()),
    done,
    kill: async () => {
      child.kill("SIGKILL");
      await done;
    },
  };
}

describe("a coordinator that is killed", () => {
  const folder = mkdtempSync(join(tmpdir(), "scythe-durable-"));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("loses no spec, and what a part holds is never run again", async () => {
    const ledger = join(folder, "ledger");
    appendFileSync(ledger, "");
    const first = drive("allocate", folder, ledger);
    const experimentId = await first.line;
    while (executions(ledger).length < 60) await sleep(20);
    await first.kill();
    await sleep(1_000); // its worker processes see it gone
    const before = executions(ledger);
    const parts = partsOf(await listParts(folder, experimentId));
    expect(parts.length).toBeGreaterThan(0);

    const second = drive("drive", folder, ledger, experimentId);
    expect(await second.line).toBe('{"succeeded":200,"failed":0}');
    await second.done;
    const again = executions(ledger).slice(before.length);
    const kept = new Set(parts.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i)));
    expect(again.filter((n) => kept.has(n))).toEqual([]);
    expect([...new Set([...before, ...again])].sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, n) => n));
  });
});

function executions(ledger: string): number[] {
  if (!existsSync(ledger)) return [];
  return readFileSync(ledger, "utf8").split("\n").filter(Boolean).map(Number);
}

async function listParts(folder: string, experimentId: string): Promise<string[]> {
  const { localStorage } = await import("../src/storage/local.ts");
  const objects = await collect(localStorage(join(folder, "data")).list(`${experimentId}/scatter-gather/output/`));
  return objects.map(({ key }) => key);
}

function partsOf(keys: readonly string[]): { from: number; to: number }[] {
  return keys.flatMap((key) => {
    const match = /g\d+-(\d+)-(\d+)\.\d+-\d+\.pq$/.exec(key);
    return match ? [{ from: Number(match[1]), to: Number(match[2]) }] : [];
  });
}
