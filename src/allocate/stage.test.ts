import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { ScytheError } from "../errors.ts";
import { memoryStorage } from "../storage/memory.ts";
import { allocate, experimentOf, keysOf, specsOf } from "./allocation.testsuite.ts";

const refusal = async (specs: unknown, options = {}, experiment?: ReturnType<typeof experimentOf>) => {
  const storage = memoryStorage();
  const error = await allocate(storage, specs, options, experiment).then(
    () => undefined,
    (e: ScytheError) => e,
  );
  expect(error, "nothing was refused").toBeDefined();
  expect(await keysOf(storage), "something was written").toEqual([]);
  return error!;
};

describe("invalid specs", () => {
  it("are named with row, field, value and rule, and nothing is written", async () => {
    const error = await refusal([{ n: 1 }, { n: -1 }, { n: 2, typo: 3 }, null]);
    expect(error.code).toBe("invalid_specs");
    expect(error.message).toMatch(/^3 of 4 specs are invalid; nothing was allocated\.\n/);
    expect(error.message).toContain("  spec 1, n = -1: Too small");
    expect(error.message).toContain("  spec 2, typo = 3: is not a field of the schema");
    expect(error.message).toContain("  spec 3, (the whole spec) = null: ");
    expect(error.details).toMatchObject({ count: 3, total: 4, invalid: [{ at: "spec 1", field: "n" }, {}, {}] });
  });

  it("are shown up to twenty and counted to the end", async () => {
    const error = await refusal(Array.from({ length: 1_000 }, (_, i) => ({ n: i % 2 === 0 ? 1 : -1 })));
    expect(error.message).toMatch(/^500 of 1000 specs are invalid/);
    expect(error.message.split("\n").filter((line) => line.startsWith("  spec"))).toHaveLength(20);
    expect(error.message).toContain("… and more");
    const [first] = (await refusal([{ n: -1 }])).message.split("\n");
    expect(first).toBe("1 of 1 specs is invalid; nothing was allocated.");
  });

  it("include those that a transform changes a second time", async () => {
    const halving = experimentOf(z.object({ n: z.number().transform((n) => (n > 1e9 ? n / 2 : n)) }));
    expect((await refusal([{ n: 8e9 }], {}, halving)).message).toContain(
      "changes again when it is parsed a second time",
    );
  });

  it("include those on which the schema itself fails", async () => {
    const fragile = experimentOf(
      z.object({
        a: z
          .any()
          .transform((v) => v.b.c)
          .pipe(z.number()),
      }),
    );
    expect((await refusal([{ a: 1 }], {}, fragile)).message).toContain("spec 0, (the whole spec)");
  });
});

describe("keepSortIndex", () => {
  const keep = { keepSortIndex: true };

  it("keeps the given ones, in their order", async () => {
    const storage = memoryStorage();
    const given = [40, 7n, "3", 2 ** 48 - 1, 0];
    const run = await allocate(
      storage,
      given.map((sort_index, n) => ({ sort_index, n })),
      keep,
    );
    expect((await specsOf(storage, run)).map(({ sort_index, n }) => [sort_index, n])).toEqual([
      [0, 4],
      [3, 2],
      [7, 1],
      [40, 0],
      [2 ** 48 - 1, 3],
    ]);
  });

  it("left out, numbers them anew", async () => {
    const storage = memoryStorage();
    const run = await allocate(storage, [
      { sort_index: 9, n: 1 },
      { sort_index: 9, n: 2 },
    ]);
    expect((await specsOf(storage, run)).map(({ sort_index }) => sort_index)).toEqual([0, 1]);
  });

  it("refuses one that stands twice, and writes nothing", async () => {
    const error = await refusal(
      [5, 3, 5, 3, 1].map((sort_index, n) => ({ sort_index, n })),
      keep,
    );
    expect(error).toMatchObject({
      code: "invalid_specs",
      message: expect.stringMatching(/the same sort_index: 3, 5$/),
    });
  });

  it.each([-1, 1.5, 2 ** 48, "", " ", "0x10", "one", null, undefined, Number.NaN])("refuses %j", async (sort_index) => {
    const error = await refusal([{ sort_index, n: 1 }], keep);
    expect(error.message).toContain("spec 0, sort_index = ");
  });
});

describe("a loose schema", () => {
  const loose = experimentOf(z.looseObject({ n: z.number(), list: z.array(z.number()).optional() }));

  it("takes extra fields as columns, typed by the first that has them", async () => {
    const storage = memoryStorage();
    const run = await allocate(
      storage,
      [{ n: 1 }, { n: 2, city: "Zürich", area: 3 }, { n: 3, flag: true, "it's %": "x.y", toString: 1, area: 0.5 }],
      {},
      loose,
    );
    expect(run.manifest.scythe?.extra_columns.map(({ name, type }) => `${name} ${type.kind}`)).toEqual([
      "city string",
      "area float64",
      "flag boolean",
      "it's % string",
      "toString float64",
    ]);
    expect(await specsOf(storage, run, loose)).toEqual<Record<string, unknown>[]>([
      { sort_index: 0, n: 1 },
      { sort_index: 1, n: 2, city: "Zürich", area: 3 },
      { sort_index: 2, n: 3, flag: true, "it's %": "x.y", toString: 1, area: 0.5 },
    ]);
  });

  it.each([
    [
      [
        { n: 1, a: 1 },
        { n: 2, a: "x" },
      ],
      'spec 1, a = "x": is a string, but an earlier spec has a float64 there',
    ],
    [[{ n: 1, y: 1 }], "spec 0, y = 1: is also an output field"],
    [[{ n: 1, Y: 1 }], "spec 0, Y = 1: differs from y only in case"],
    [[{ n: 1, N: 1 }], "spec 0, N = 1: differs from n only in case"],
    [
      [
        { n: 1, a: 1 },
        { n: 2, A: 1 },
      ],
      "spec 1, A = 1: differs from a only in case",
    ],
    [[{ n: 1, __extra: 1 }], "spec 0, __extra = 1: is a reserved column"],
    [[{ n: 1, sort_subindex: 1 }], "is a reserved column"],
    [[{ n: 1, 'say "x"': 1 }], "cannot be a column's name"],
    [[{ n: 1, deep: { a: 1 } }], "an extra field must be a finite number, string or boolean"],
  ])("refuses %j", async (specs, message) => {
    expect((await refusal(specs, {}, loose as never)).message).toContain(message);
  });
});
