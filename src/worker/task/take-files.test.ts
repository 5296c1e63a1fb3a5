import { expect, it } from "vitest";
import { safeExtension } from "./take-files.ts";

it.each([
  ["a.csv", ".csv"],
  ["results.tar.gz", ".tar.gz"],
  ["deep/table.v2.csv.zst", ".csv.zst"],
  ["only.gz", ".gz"],
  [".gz", ""],
  ["plain", ""],
  ["odd.b c", ""],
  ["a.b c.gz", ".gz"],
])("%s keeps the extension %j", (path, extension) => expect(safeExtension(path)).toBe(extension));
