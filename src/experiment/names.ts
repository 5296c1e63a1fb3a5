import { ScytheError } from "../errors.ts";
import { SAFE_NAME } from "../schema/base.ts";

/** A name that is safe as a folder, in a URL and on every file system; also for `runName`. */
export function assertName(name: unknown, what = "An experiment's name"): void {
  if (typeof name === "string" && SAFE_NAME.test(name)) return;
  throw new ScytheError("invalid_definition", `${what} cannot be ${JSON.stringify(name)}`, {
    hint: "Use 1 to 128 letters, digits, '_', '-' or '.', starting with a letter or digit; it becomes a folder's name.",
  });
}
