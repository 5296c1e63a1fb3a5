import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { openProject } from "scythe-ts";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { spawnCli } from "./cli.ts";
import { collect } from "./collect.ts";
import { executions, withPart } from "./executions.ts";
import { describeReal, ownNamespace } from "./servers/real-hatchet.ts";

const PROJECT = fileURLToPath(new URL("./fixtures/durable", import.meta.url));
const SPECS = 600;

describeReal("a run whose workers are killed", () => {
  const folder = mkdtempSync(join(tmpdir(), "scythe-killed-"));
  const storage = join(folder, "data");
  const ledger = join(folder, "ledger");
  const workers = new Set<ChildProcess>();

  beforeEach(() => {
    vi.stubEnv("HATCHET_CLIENT_NAMESPACE", ownNamespace());
    appendFileSync(ledger, "");
  });
  afterEach(async () => {
    for (const worker of workers) worker.kill("SIGKILL");
    vi.unstubAllEnvs();
    await sleep(1_000); // their children see them gone
    rmSync(folder, { recursive: true, force: true });
  });

  async function startWorker(name: string): Promise<ChildProcess> {
    const args = ["worker", "--storage", storage, "--slots", "1"];
    const worker = spawnCli(args, { cwd: PROJECT, env: { SCYTHE_WORKER_NAME: name } });
    workers.add(worker);
    worker.once("exit", () => workers.delete(worker));
    for (let said = ""; !said.includes(" serves "); ) said += (await once(worker.stderr!, "data"))[0];
    return worker;
  }

  async function kill(worker: ChildProcess): Promise<void> {
    const gone = once(worker, "exit");
    worker.kill("SIGKILL");
    await gone;
  }

  it("one every 2 s until it ends: each spec is one row, and what a part holds is not run again", async () => {
    await using scythe = await openProject(PROJECT, { storage, engine: "hatchet" });
    await startWorker("stays");
    let victim = await startWorker("victim");
    const specs = Array.from({ length: SPECS }, (_, n) => ({ n, ledger }));
    const run = await scythe.allocate("noted", specs, { chunkSize: 10 });
    let over = false;
    const result = run.result().finally(() => {
      over = true;
    });
    const kills: { kept: Set<number>; before: number }[] = [];
    while (!over) {
      await Promise.race([result, sleep(2_000)]);
      if (over) break;
      const kept = await withPart(storage, run.experimentId);
      kills.push({ kept, before: executions(ledger).length });
      await kill(victim);
      victim = await startWorker("victim");
    }
    const results = await result;
    expect(kills.length).toBeGreaterThan(0);
    expect(results.report).toMatchObject({ succeeded: SPECS, failed: 0 });
    const rows = await collect(results.rows());
    expect(rows.map((row) => (row as unknown as { n: number }).n)).toEqual(specs.map(({ n }) => n));
    const ran = executions(ledger);
    for (const { kept, before } of kills) expect(ran.slice(before).filter((n) => kept.has(n))).toEqual([]);
    expect(ran.length).toBeLessThan(SPECS + 25 * kills.length); // a kill costs what was in hand, two chunks at most
  });
});
