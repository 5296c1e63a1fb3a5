import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { executions, withPart } from "./executions.ts";

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
    const kept = await withPart(join(folder, "data"), experimentId);
    expect(kept.size).toBeGreaterThan(0);

    const second = drive("drive", folder, ledger, experimentId);
    expect(await second.line).toBe('{"succeeded":200,"failed":0}');
    await second.done;
    const again = executions(ledger).slice(before.length);
    expect(again.filter((n) => kept.has(n))).toEqual([]);
    expect([...new Set([...before, ...again])].sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, n) => n));
  });
});
