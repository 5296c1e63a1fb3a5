import { describe, expect, it } from "vitest";
import { randomFrom } from "../sampling/random.ts";
import { quantile, ranks, sortedRows } from "./ranks.ts";

describe("ranks", () => {
  it.each([10, 2047, 2048, 5000])("sorts rows by value, equal ones by row: %i", (n) => {
    const random = randomFrom(n, 0);
    const odd = [0, -0, 5e-324, -5e-324, Number.MAX_VALUE, -Number.MAX_VALUE, Infinity, -Infinity, 1 / 3];
    const values = Float64Array.from({ length: n }, () =>
      random() < 0.3 ? odd[random.integer(0, odd.length - 1)]! : random.normal(0, 10 ** random.integer(-9, 9)),
    );
    const compare = (a: number, b: number) => (values[a]! < values[b]! ? -1 : values[a]! > values[b]! ? 1 : a - b);
    expect([...sortedRows(values)]).toEqual([...values.keys()].sort(compare));
  });

  it("are shared by equal values, as in SciPy's rankdata", () => {
    expect([...ranks(Float64Array.of(3, 1, 3, 2, 3))]).toEqual([4, 1, 4, 2, 4]);
  });

  it("quantiles are NumPy's", () => {
    const sorted = Float64Array.of(1, 2, 4, 8);
    expect([0, 0.1, 0.5, 0.9, 1].map((p) => quantile(sorted, p))).toEqual([1, 1.3, 3, 6.800000000000001, 8]);
  });
});
