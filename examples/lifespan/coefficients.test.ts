import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readCoefficients } from "./coefficients.ts";

const here = dirname(fileURLToPath(import.meta.url));
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lifespan-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function fileWith(text: string): Promise<string> {
  const path = join(folder, "coefficients.json");
  await writeFile(path, text);
  return path;
}

test.each([
  ["women", 5.728],
  ["men", 5.88],
])("the file of %s holds the G82 law", async (population, exponent) => {
  const { mortality } = await readCoefficients(join(here, "coefficients", `${population}.json`));
  expect(mortality.makeham).toBe(0.0005);
  expect(mortality.gompertz).toBeCloseTo(10 ** (exponent - 10), 9);
  expect(mortality.slope).toBeCloseTo(0.038 * Math.LN10, 6);
});

test("every file that specs.csv names is there", async () => {
  const [, ...rows] = (await readFile(join(here, "specs.csv"), "utf8")).trim().split("\n");
  expect(rows).toHaveLength(40);
  for (const path of new Set(rows.map((row) => row.split(",")[2] ?? ""))) await readCoefficients(join(here, path));
});

describe("a file at fault", () => {
  test("that is missing is named, with its cause", async () => {
    const error = await readCoefficients(join(folder, "none.json")).catch((error: unknown) => error);
    expect(error).toMatchObject({ message: expect.stringContaining("none.json"), cause: { code: "ENOENT" } });
  });

  test("that is not JSON says so", async () => {
    await expect(readCoefficients(await fileWith("{"))).rejects.toThrow(/coefficients\.json is not JSON/);
  });

  test("with a bad, a missing and an unknown field names all three", async () => {
    const good = JSON.parse(await readFile(join(here, "coefficients/men.json"), "utf8"));
    const { population: _, ...bad } = good;
    bad.mortality.slope = -1;
    bad.bmi.optimum = 22;
    const error = await readCoefficients(await fileWith(JSON.stringify(bad))).catch((error: unknown) => error);
    const { message } = error as Error;
    for (const part of ["coefficients.json", "population", "mortality.slope", "optimum", "women.json"]) {
      expect(message).toContain(part);
    }
  });

  test("with its healthy range upside down says which field", async () => {
    const bad = JSON.parse(await readFile(join(here, "coefficients/men.json"), "utf8"));
    bad.bmi.low = 30;
    await expect(readCoefficients(await fileWith(JSON.stringify(bad)))).rejects.toThrow(
      /above bmi\.high[\s\S]*bmi\.low/,
    );
  });
});
