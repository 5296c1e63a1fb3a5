import { expect, test } from "vitest";
import { inOrder } from "./table-order.ts";

test("tables come in the order one asks for them", () => {
  const names = ["errors", "monthly", "result_file_refs", "daily", "scalars"];
  expect(inOrder(names, (name) => name)).toEqual(["scalars", "result_file_refs", "daily", "monthly", "errors"]);
});
