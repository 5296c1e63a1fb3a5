import { expect, it } from "vitest";
import { errorNames } from "../scatter/final-columns.ts";
import { failedSpec } from "./failures.ts";

const ids = { experiment_id: "x/v1.0.0/t", sort_index: 3, workflow_run_id: "a", root_workflow_run_id: "b" };
const failure = { stack: null, attempts: 2, worker: "w", duration: 0.5 };

it("keeps a spec's input apart from what happened to it", () => {
  const row = { ...ids, speed: 40, kind: "error", name: "Error", message: "no", ...failure };
  const entry = failedSpec(row, errorNames([...Object.keys(ids), "speed"]));
  expect(entry).toEqual({
    sort_index: 3,
    kind: "error",
    name: "Error",
    message: "no",
    ...failure,
    input: { speed: 40 },
  });
});

it("is not misled by inputs that are named as the failure's columns, nor by one that is missing", () => {
  const names = errorNames([...Object.keys(ids), "kind", "error_kind", "Name"]);
  const own = { error_error_kind: "error", error_name: "Error", message: "no", ...failure };
  for (const inputs of [{ kind: "oak", error_kind: "ash", Name: "n" }, { error_kind: "ash" }, {}]) {
    expect(failedSpec({ ...ids, ...inputs, ...own }, names)).toEqual({
      sort_index: 3,
      kind: "error",
      name: "Error",
      message: "no",
      input: inputs,
      ...failure,
    });
  }
});
