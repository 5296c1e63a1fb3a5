import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openProject } from "scythe-ts";
import { afterAll, describe, expect, it } from "vitest";
import { generatedWeather } from "../examples/building-energy/generated-weather.ts";
import { collect } from "./collect.ts";

const example = (name: string) => fileURLToPath(new URL(`../examples/${name}`, import.meta.url));
const storage = mkdtempSync(join(tmpdir(), "scythe-examples-"));
afterAll(() => rmSync(storage, { recursive: true, force: true }));

describe("examples", () => {
  it("building-energy: two climates, every economizer", async () => {
    await using scythe = await openProject(example("building-energy"), { storage });
    const weather = generatedWeather(new URL(`file://${storage}/weather/`));
    const specs = weather.flatMap((weather_file) =>
      (["NoEconomizer", "DifferentialDryBulb", "DifferentialEnthalpy"] as const).flatMap((economizer) =>
        [1, 6].map((r_value) => ({ r_value, lpd: 8, setpoint: 21, economizer, weather_file })),
      ),
    );
    const results = await (await scythe.allocate("building_energy", specs, { seed: 1 })).result();
    expect(results.report).toMatchObject({ allocated: 12, succeeded: 12, failed: 0 });
    const [one] = await results.query(
      `SELECT round(max(heating) FILTER (r_value = 1) - max(heating) FILTER (r_value = 6), 1) AS saved,
              count(DISTINCT weather_file) AS climates FROM scalars`,
    );
    expect(one).toMatchObject({ climates: 2 });
    expect(one!.saved).toBeGreaterThan(5);
    const [monthly] = await results.query(
      `SELECT count(*) AS n, max(abs(a.total - s.heating)) AS gap FROM scalars s JOIN
         (SELECT sort_index, sum(heating) AS total FROM monthly GROUP BY 1) a USING (sort_index)`,
    );
    expect(monthly).toMatchObject({ n: 12 });
    expect(monthly!.gap).toBeLessThan(1e-6);
    const files = await collect(results.files("timeseries"));
    expect(files).toHaveLength(12);
    expect(readFileSync(files[0]!.path!, "utf8").trimEnd().split("\n")).toHaveLength(8_761);
  });

  it("lifespan: specs.csv, two coefficient files shared by forty specs", async () => {
    await using scythe = await openProject(example("lifespan"), { storage });
    const run = await scythe.allocate("lifespan", join(example("lifespan"), "specs.csv"));
    const results = await run.result();
    expect(results.report).toMatchObject({ allocated: 40, succeeded: 40, failed: 0 });
    const artifacts = await collect(scythe.storage.list(`${run.experimentId}/artifacts/`));
    expect(artifacts.map(({ key }) => key.split("/").slice(-2).join("/"))).toEqual([
      "coefficients/men.json",
      "coefficients/women.json",
    ]);
    const [older] = await results.query("SELECT corr(age, remaining_years) AS trend FROM scalars");
    expect(older!.trend).toBeLessThan(-0.9);
  });

  it("orbital-dynamics: real satellites, and the same numbers for the same seed", async () => {
    await using scythe = await openProject(example("orbital-dynamics"), { storage });
    const csv = join(example("orbital-dynamics"), "satellites.csv");
    const results = await (await scythe.allocate("orbital_dynamics", csv, { seed: 3 })).result();
    const again = await (await scythe.allocate("orbital_dynamics", csv, { seed: 3, version: "keep" })).result();
    expect(results.report).toMatchObject({ allocated: 40, succeeded: 40, failed: 0 });
    const sql = "SELECT * EXCLUDE (experiment_id, workflow_run_id, root_workflow_run_id) FROM scalars";
    expect(await again.query(sql)).toEqual(await results.query(sql));
    const [iss] = await results.query("SELECT period_min FROM scalars WHERE name LIKE 'ISS%' LIMIT 1");
    expect(iss!.period_min).toBeCloseTo(92.9, 0);
    expect((await results.query("SELECT count(*) AS n FROM metrics"))[0]!.n).toBeGreaterThan(40);
  });
});
