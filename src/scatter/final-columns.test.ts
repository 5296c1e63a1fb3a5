import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { defineExperiment, fileRef, table } from "../index.ts";
import { ERROR_FIELD_NAMES, errorColumns, errorNames, errorNamesAmong, finalLayout } from "./final-columns.ts";

const IDS = ["experiment_id", "sort_index"];

describe("the columns of errors.pq", () => {
  it("give way to inputs of the same name, whatever their case", () => {
    expect(errorNames([...IDS, "Kind", "error_kind", "message"])).toMatchObject({
      kind: "error_error_kind",
      name: "name",
      message: "error_message",
      duration: "duration",
    });
    expect(errorColumns(IDS).map(({ name }) => name)).toEqual(ERROR_FIELD_NAMES);
  });

  it("are found again by their names alone, also behind inputs that are called like them, or before further columns", () => {
    const inputs = fc.uniqueArray(
      fc.oneof(
        fc.constantFrom(...ERROR_FIELD_NAMES, ...ERROR_FIELD_NAMES.map((name) => `error_${name}`), "Kind", "WORKER"),
        fc.string({ minLength: 1, maxLength: 5 }),
      ),
      { maxLength: 12, selector: (name) => name.toLowerCase() },
    );
    const later = fc.constantFrom<string[]>([], ["host"], ["host", "peak_memory"]);
    fc.assert(
      fc.property(inputs, later, (names, further) => {
        fc.pre(!further.some((name) => names.includes(name)));
        const index = [...IDS, ...names];
        const columns = [...index, ...errorColumns(index).map(({ name }) => name), ...further];
        expect(errorNamesAmong(columns)).toEqual(errorNames(index));
      }),
      { numRuns: 500 },
    );
    const all = [...IDS, ...ERROR_FIELD_NAMES];
    expect(errorNamesAmong([...all, ...errorColumns(all).map(({ name }) => name)]).kind).toBe("error_kind");
  });

  it("must be there", () => {
    expect(() => errorNamesAmong([...IDS, "kind", "name"])).toThrow(/unexpected columns/);
  });
});

it("every table of an experiment has its columns", () => {
  const experiment = defineExperiment({
    name: "e",
    input: z.object({ kind: z.string() }),
    output: z.object({ a: z.number(), file: fileRef() }),
    tables: { t: table(z.object({ step: z.int(), v: z.number() }), { index: ["step"] }) },
    run: () => ({ a: 1, file: "x", tables: { t: [] } }),
  });
  const layout = finalLayout(experiment, [...IDS, "kind"]);
  const names = [...layout].map(([name, { levels, columns }]) => [
    name,
    ...[levels, columns].map((c) => c.map((x) => x.name)),
  ]);
  expect(names).toEqual([
    ["scalars", [], ["a"]],
    ["errors", [], ["error_kind", ...ERROR_FIELD_NAMES.slice(1)]],
    ["result_file_refs", [], ["file"]],
    ["t", ["step", "sort_subindex"], ["v"]],
  ]);
});
