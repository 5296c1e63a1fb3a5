/** Makes two weather files, runs 1,152 offices in them, and prints what came out. */
import { fileURLToPath } from "node:url";
import { openProject } from "scythe-ts";
import { buildingEnergy } from "./experiment.ts";
import { generatedWeather } from "./generated-weather.ts";
import { type ReportRow, reportLines } from "./report.ts";
import { officeSpecs } from "./specs.ts";

const LINE_EVERY_MS = 2000;

await using scythe = await openProject(new URL(".", import.meta.url));
const run = await scythe.allocate(buildingEnergy, officeSpecs(generatedWeather()), { version: "bumpminor", seed: 1 });
process.stderr.write(`${run.experimentId}\n`);

let shownAt = Date.now();
for await (const { allocated, succeeded, failed, rate } of run.progress()) {
  const line = `${succeeded + failed} of ${allocated} specs, ${rate.toFixed(0)} a second, ${failed} failed`;
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`);
  else if (Date.now() - shownAt > LINE_EVERY_MS || succeeded + failed === allocated) {
    process.stderr.write(`${line}\n`);
    shownAt = Date.now();
  }
}
if (process.stderr.isTTY) process.stderr.write("\n");

const results = await run.result();
const rows: ReportRow[] = [];
for await (const row of results.rows()) rows.push(row);
const tables = await results.listResultsFiles();
const pathOf = (uri: string) => (uri.startsWith("file:") ? fileURLToPath(uri) : uri);
const sql = "SELECT economizer, avg(cooling) FROM scalars GROUP BY 1";

process.stdout.write(
  [
    ...reportLines(rows),
    "",
    `${results.report?.succeeded} of ${results.report?.allocated} specs succeeded, in ${results.report?.seconds.toFixed(1)} s. Tables:`,
    ...Object.values(tables).map((uri) => `  ${pathOf(uri)}`),
    "",
    "In pandas:  import pandas as pd",
    `            pd.read_parquet(${JSON.stringify(pathOf(tables.scalars!))})`,
    `In SQL:     cd examples/building-energy && npx scythe results building_energy --sql "${sql}"`,
    "",
  ].join("\n"),
);
