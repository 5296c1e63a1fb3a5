import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { loguniform } from "../space/distributions.ts";
import { spaceOf } from "../space/space-of-schema.ts";
import { Design, type Spec, specsOf } from "./design.ts";
import type { DesignName } from "./names.ts";
import {
  type DesignDescription,
  type DesignRequest,
  joinedDesign,
  nextPoints,
  planDesign,
  type Where,
} from "./plan.ts";

const schema = z.object({
  r: z.number().min(0).max(15),
  storeys: z.int().min(1).max(4),
  economizer: z.enum(["none", "dry_bulb", "wet_bulb"]),
  heated: z.boolean(),
  site: z.literal("chicago"),
  count: z.bigint().min(0n).max(9n),
});
const { space } = spaceOf(schema, { space: { r: loguniform(0.5, 15) } });
const SIZES: [DesignName, Omit<DesignRequest, "space">][] = [
  ["grid", { options: { levels: 3 } }],
  ["oat", { options: { levels: { r: 4 } } }],
  ["random", { n: 100 }],
  ["lhs", { n: 50 }],
  ["sobol", { n: 128 }],
  ["halton", { n: 100 }],
  ["morris", { n: 12 }],
  ["saltelli", { n: 8 }],
];
const EXTENSIBLE: DesignName[] = ["random", "sobol", "halton", "morris", "saltelli"];
const planned = (design: DesignName, request: Partial<DesignRequest> = {}) =>
  planDesign({ ...SIZES.find(([name]) => name === design)![1], design, space, seed: 7, ...request });
const specs = (description: DesignDescription, where?: Where) => [...new Design(description, where).specs()];
const few: Where = (spec) => (spec.r as number) < 8 || (spec.heated as boolean);

describe.each(SIZES)("%s", (design) => {
  it("gives specs that the schema takes, as many as it says", () => {
    const made = new Design(planned(design));
    const rows = [...made.specs()];
    expect(rows).toHaveLength(made.rows!);
    for (const spec of rows) expect(schema.parse(spec)).toEqual(spec);
    expect(made.varied).toEqual(["r", "storeys", "economizer", "heated", "count"]);
    const values = (name: string) => new Set(rows.map((row) => row[name]));
    expect(values("storeys").size).toBe(design === "grid" ? 3 : 4);
    expect(values("economizer").size).toBe(3);
    expect(values("heated").size).toBe(2);
  });

  it("is made again from its description, written as JSON or YAML", () => {
    const description = planned(design, design === "grid" ? { where: few } : {});
    const where = design === "grid" ? few : undefined;
    const whole = specs(description, where);
    expect(specs(JSON.parse(JSON.stringify(description)), where)).toEqual(whole);
    expect(specs(parse(stringify(description)), where)).toEqual(whole);
  });

  it("in any parts is the same as the whole, with a condition, too", () => {
    const chunk = fc.record({ skip: fc.nat(150), take: fc.nat(60), batch: fc.integer({ min: 1, max: 70 }) });
    for (const where of [undefined, few]) {
      const description = planned(design, where ? { where } : {});
      const whole = specs(description, where);
      fc.assert(
        fc.property(chunk, (range) => {
          const part = [...new Design(description, where).specs(range)];
          expect(part).toEqual(whole.slice(range.skip, range.skip + range.take));
        }),
        { numRuns: 15 },
      );
      const batches = [...new Design(description, where).batches({ batch: 13 })];
      expect(batches.flatMap((batch) => [...specsOf(batch)])).toEqual(whole);
      expect(batches.map(({ first }) => first)).toEqual(
        batches.map((_, i) => batches.slice(0, i).reduce((sum, { rows }) => sum + rows, 0)),
      );
    }
  });

  it("keeps exactly what fulfils the condition, in order, and says how much that was", () => {
    const open = new Design(planned(design, { where: few }), few);
    expect(open.tally).toBeUndefined();
    const kept = [...open.specs()];
    const { tried, kept: points } = open.tally!;
    expect(kept).toHaveLength(open.rows!);
    expect(kept).toHaveLength(points * open.rowsPerPoint);
    const all = EXTENSIBLE.includes(design) ? specs(planned(design, { n: tried })) : specs(planned(design));
    const groups = (rows: Spec[]) =>
      Array.from({ length: rows.length / open.rowsPerPoint }, (_, i) =>
        rows.slice(i * open.rowsPerPoint, (i + 1) * open.rowsPerPoint),
      );
    expect(groups(kept)).toEqual(groups(all).filter((group) => group.every(few)));
    expect(open.description.points.end).toBe(tried);
  });
});

describe("a longer design", () => {
  it.each(EXTENSIBLE)("of %s is what two shorter ones are together", (design) => {
    for (const where of [undefined, few]) {
      const conditions = where ? { where } : {};
      const first = new Design(planned(design, { n: 20, ...conditions }), where);
      const before = [...first.specs()];
      const second = new Design(nextPoints(first.description, 13), where);
      const after = [...second.specs()];
      const long = new Design(planned(design, { n: 33, ...conditions }), where);
      expect([...before, ...after]).toEqual([...long.specs()]);
      const joined = joinedDesign(first.description, second.description);
      expect(joined).toEqual(long.description);
      expect(specs(joined, where)).toEqual([...before, ...after]);
      expect(specs(nextPoints(joined, 2), where)).toEqual(
        specs(planned(design, { n: 35, ...conditions }), where).slice(33 * first.rowsPerPoint),
      );
    }
  });

  it.each(["grid", "oat", "lhs"] as const)("is refused for %s", (design) => {
    expect(() => nextPoints(planned(design), 5)).toThrow(/cannot be extended/);
  });

  it("needs to know where one with a condition ended", () => {
    expect(() => nextPoints(planned("sobol", { where: few }), 5)).toThrow(/does not say where its points end/);
  });
});

describe("a plan", () => {
  it("is plain data with every option filled in", () => {
    expect(planDesign({ space: space.slice(0, 1), n: 4 })).toEqual({
      design: "sobol",
      options: { scramble: "owen" },
      seed: 0,
      space: [{ name: "r", type: "number", distribution: "loguniform:0.5,15" }],
      points: { first: 0, count: 4 },
    });
    expect(planned("lhs").options).toEqual({ optimise: "discrepancy", centred: false });
    expect(planned("lhs", { n: 1001 }).options).toEqual({ optimise: "none", centred: false });
    expect(planned("grid").points.count).toBe(3 * 3 * 3 * 2 * 3);
    expect(planned("oat").points.count).toBe(1 + 4 + 3 + 2 + 1 + 9);
    expect(planned("sobol", { where: few }).where).toContain("spec.heated");
  });

  it.each<[string, Partial<DesignRequest>, RegExp]>([
    ["an unknown design", { design: "sobel" as never }, /no design "sobel". Did you mean "sobol"/],
    ["an unknown option", { options: { scrambel: "owen" } as never }, /no option "scrambel". Did you mean "scramble"/],
    ["an option of another design", { options: { levels: 3 } }, /design sobol has no option "levels"/],
    ["an unknown value", { options: { scramble: "xor" as never } }, /scramble cannot be "xor"/],
    ["an unknown key", { sede: 3 } as never, /no option "sede". Did you mean "seed"/],
    ["no size", { n: undefined as never }, /n, the number of points, must be/],
    ["n = 0", { n: 0 }, /n, the number of points, must be a whole number from 1/],
    ["a negative n", { n: -4 }, /not -4/],
    ["a broken n", { n: 2.5 }, /not 2.5/],
    ["more than the sequence has", { n: 2 ** 32 + 1 }, /from 1 to 4294967296/],
    ["more trajectories than there are", { design: "morris", n: 2 ** 32 }, /ends after \d+ points/],
    ["a wrong seed", { seed: -1 }, /seed must be/],
    ["a grid of another size", { design: "grid", n: 7, options: { levels: 2 } }, /has 48 points, not 7/],
    ["a grid without levels", { design: "grid", n: undefined as never }, /how many levels r has/],
    ["levels of an unknown field", { design: "oat", options: { levels: { q: 2 } } }, /levels has no option "q"/],
    ["odd Morris levels", { design: "morris", options: { levels: 3 } }, /even number of levels/],
    ["nothing to vary", { space: space.filter(({ name }) => name === "site") }, /nothing to vary/],
    [
      "an optimised Latin hypercube too large",
      { design: "lhs", n: 9999, options: { optimise: "maximin" } },
      /too large/,
    ],
  ])("is refused for %s", (_, request, message) => {
    const { n = 8, ...rest } = request;
    const sized = rest.design === "grid" || rest.design === "oat" || "n" in request;
    expect(() => planDesign({ space, ...(sized ? {} : { n }), ...request } as DesignRequest)).toThrow(message);
  });

  it("warns where balance is lost", () => {
    const warnings = (design: DesignName, request: Partial<DesignRequest>) => {
      const { where } = request;
      return new Design(planned(design, request), where).warnings;
    };
    expect(warnings("sobol", { n: 1000 })).toEqual([
      "A Sobol' design of 1000 points is not balanced: take 1024 or 512, a power of two.",
    ]);
    expect(warnings("sobol", { n: 1024 })).toEqual([]);
    expect(warnings("saltelli", { n: 12 })[0]).toContain("take 16 or 8");
    expect(new Design(nextPoints(planned("sobol", { n: 256 }), 256)).warnings).toEqual([]);
    expect(new Design(nextPoints(planned("sobol", { n: 256 }), 100)).warnings[0]).toContain("356 points");
    expect(warnings("sobol", { n: 8, options: { scramble: "none" } })[0]).toContain("lower end");
    expect(warnings("lhs", { where: few })[0]).toContain("strata");
    expect(warnings("halton", { n: 7 })).toEqual([]);
  });
});

describe("a condition", () => {
  it("that nothing fulfils ends with its rate, in a sequence and in a grid", () => {
    const never: Where = () => false;
    expect(() => specs(planned("random", { where: never }), never)).toThrow(/^None of 10000 points fulfil/);
    expect(() => specs(planned("grid", { where: never }), never)).toThrow(/^None of 162 points fulfil/);
    const rarely: Where = (spec) => (spec.r as number) < 0.5015;
    expect(() => specs(planned("sobol", { n: 1024, where: rarely }), rarely)).toThrow(/^Only \d+ of \d+ points fulfil/);
  });

  it("that fails, or gives no answer, is named", () => {
    const fails: Where = (spec) => (spec.nothing as { at: boolean }).at;
    expect(() => specs(planned("sobol", { where: fails }), fails)).toThrow(/condition \(where\) fails: .*at/);
    const later = (async () => true) as unknown as Where;
    expect(() => specs(planned("sobol", { where: later }), later)).toThrow(/gives object, not true or false/);
  });

  it("must be given again, and only where there was one", () => {
    expect(() => new Design(planned("sobol", { where: few }))).toThrow(/was made with a condition: .*heated/);
    expect(() => new Design(planned("sobol"), few)).toThrow(/was made without a condition/);
  });
});
