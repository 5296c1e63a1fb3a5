import { expect, test } from "vitest";
import { withDuckDb } from "../../table/duckdb.ts";
import { type FeatureName, featureColumns, widened } from "./features.ts";

const typesOf = (...groups: FeatureName[][]) =>
  Object.fromEntries(featureColumns(...groups).map(({ name, type }) => [name, type.kind]));

test("a feature's type holds the values of all generations", () => {
  const before = [
    { name: "whole", kind: "int64" as const },
    { name: "mixed", kind: "int64" as const },
    { name: "flag", kind: "boolean" as const },
    { name: "empty", kind: undefined },
    { name: "never", kind: undefined },
  ];
  const now = [
    { name: "added", kind: "string" as const },
    { name: "whole", kind: "int64" as const },
    { name: "mixed", kind: "float64" as const },
    { name: "flag", kind: "float64" as const },
    { name: "empty", kind: "boolean" as const },
  ];
  expect(typesOf(before, now)).toEqual({
    whole: "int64",
    mixed: "float64",
    flag: "string",
    empty: "boolean",
    never: "int64",
    added: "string",
  });
});

test("a number that becomes text is written as JSON writes it", async () => {
  const values = [0, -3, 0.1, 2.5, 1e6, 1e14, -12345678.5];
  const rows = await withDuckDb({}, 0, (duck) =>
    duck.rows(
      `SELECT ${widened("x", "DOUBLE", "VARCHAR")} AS text FROM (SELECT CAST(unnest([${values}]) AS DOUBLE) AS x)`,
    ),
  );
  expect(rows.map(({ text }) => text)).toEqual(values.map((value) => JSON.stringify(value)));
});
