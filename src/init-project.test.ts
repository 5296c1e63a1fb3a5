import { expect, test } from "vitest";
import { packageNameOf } from "./init-project.ts";

test("a folder's name becomes a name that npm takes", () => {
  const names = ["My Study!", "étude", "zod", "...", "a_b.c-1", "東京", "scythe-ts"].map(packageNameOf);
  expect(names).toEqual(["my-study", "e-tude", "zod-study", "my-study", "a_b.c-1", "my-study", "scythe-ts-study"]);
});
