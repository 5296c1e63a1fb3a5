import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Worker processes and the command line run from `dist/`: it must be of this source. */
export function setup(): void {
  execFileSync(process.execPath, [fileURLToPath(new URL("../scripts/setup.mjs", import.meta.url))], {
    stdio: "inherit",
  });
}
