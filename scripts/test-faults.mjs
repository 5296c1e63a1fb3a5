/**
 * The fault suite alone, with a table of what was done to runs and what it cost them.
 *
 * npm run test:faults -- [--long] [--minutes 30] [--seed 7] [files of test/faults]
 * All cases of each family, of which `npm test` runs a few; --long goes on with each family for --minutes.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { long: { type: "boolean" }, minutes: { type: "string", default: "30" }, seed: { type: "string" } },
});
const seed = values.seed ?? String(Math.floor(Math.random() * 2 ** 31));
const folder = mkdtempSync(join(tmpdir(), "scythe-fault-ledger-"));
const ledger = join(folder, "ledger.jsonl");
const root = fileURLToPath(new URL("..", import.meta.url));
// beside the families, tests that do more in this form than in `npm test`
const MORE = ["src/engine/hatchet/stand-in.test.ts", "test/steering.test.ts", "test/values-property.test.ts"];
const files = positionals.length > 0 ? positionals : ["test/faults", ...MORE];
const env = { ...process.env, SCYTHE_FAULT_SEED: seed, SCYTHE_FAULT_FORM: "full", SCYTHE_FAULT_LEDGER: ledger };
if (values.long) env.SCYTHE_FAULT_MINUTES = values.minutes;

const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
const { status } = spawnSync(process.execPath, [vitest, "run", ...files], { cwd: root, env, stdio: "inherit" });
printTable(existsSync(ledger) ? readFileSync(ledger, "utf8").trim().split("\n").map((line) => JSON.parse(line)) : []);
rmSync(folder, { recursive: true, force: true });
process.exitCode = status ?? 1;

function printTable(entries) {
  const faults = new Map();
  for (const { fault, injected, lost, twice } of entries) {
    const sum = faults.get(fault) ?? { runs: 0, injected: 0, lost: 0, twice: 0, failed: 0 };
    sum.runs++;
    sum.injected += injected;
    if (lost === null) sum.failed++; // the oracle, or what came before it, threw
    else {
      sum.lost += lost;
      sum.twice += twice;
    }
    faults.set(fault, sum);
  }
  console.log("\n| fault | runs | injected | specs lost | rows twice | failed checks |\n|---|--:|--:|--:|--:|--:|");
  for (const [fault, { runs, injected, lost, twice, failed }] of [...faults].sort()) {
    console.log(`| ${fault} | ${runs} | ${injected} | ${lost} | ${twice} | ${failed} |`);
  }
  console.log(`\nTo repeat: npm run test:faults -- --seed ${seed}${values.long ? ` --long --minutes ${values.minutes}` : ""}`);
}
