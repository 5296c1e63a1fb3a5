/** Makes two weather files, runs 1,152 offices in them, and prints what came out. */
import { openProject } from "scythe-ts";
import { buildingEnergy } from "./experiment.ts";
import { generatedWeather } from "./generated-weather.ts";
import { reportLines } from "./report.ts";
import { officeSpecs } from "./specs.ts";

const LINE_EVERY_MS = 3000;

const scythe = await openProject(new URL(".", import.meta.url));
const run = await scythe.allocate(buildingEnergy, officeSpecs(generatedWeather()), { version: "bumpminor" });
process.stderr.write(`${run.experimentId}\n`);

let shownAt = 0;
for await (const { allocated, succeeded, failed } of run.progress()) {
  const line = `${succeeded + failed} of ${allocated} specs, ${failed} failed`;
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`);
  else if (Date.now() - shownAt > LINE_EVERY_MS) {
    process.stderr.write(`${line}\n`);
    shownAt = Date.now();
  }
}
if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");

const results = await run.result();
const rows = await results.rows();
const files = await results.files();
const sql = "SELECT economizer, avg(cooling) FROM scalars GROUP BY 1";

process.stdout.write(
  [
    ...reportLines(rows),
    `failed specs: ${results.failed}`,
    "",
    ...files.map((file) => `  ${file}`),
    "",
    `pandas:  pd.read_parquet("${files.find((file) => file.endsWith("scalars.pq"))}")`,
    `SQL:     scythe results building_energy --sql "${sql}"`,
    "",
  ].join("\n"),
);
