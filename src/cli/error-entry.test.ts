import { expect, it } from "vitest";
import { errorEntry } from "./error-entry.ts";

const ids = { experiment_id: "x/v1.0.0/t", sort_index: 3, workflow_run_id: "a", root_workflow_run_id: "b" };
const failure = { stack: null, attempts: 2, worker: "w", duration: 0.5 };

it("keeps a spec's input apart from what happened to it", () => {
  const entry = errorEntry({ ...ids, speed: 40, kind: "error", name: "Error", message: "no", ...failure });
  expect(entry).toEqual({
    sort_index: 3,
    kind: "error",
    name: "Error",
    message: "no",
    ...failure,
    input: { speed: 40 },
  });
});

it("is not misled by inputs that are named as the failure's columns", () => {
  const inputs = { kind: "oak", error_kind: "ash", Name: "n" };
  const own = { error_error_kind: "error", error_name: "Error", message: "no", ...failure };
  expect(errorEntry({ ...ids, ...inputs, ...own })).toMatchObject({ kind: "error", name: "Error", input: inputs });
  const rest = { name: "Error", message: "no", ...failure };
  const entry = errorEntry({ ...ids, error_kind: "ash", kind: "crash", ...rest });
  expect(entry).toMatchObject({ kind: "crash", input: { error_kind: "ash" } });
});
