// Writes the reference pages of the public API to `api-docs/`. A name without a description, or a type that is used but
// not exported, is an error. TypeDoc needs an older TypeScript than the project's, so it has packages of its own.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { install } from "../install.mjs";

const folder = fileURLToPath(new URL(".", import.meta.url));
install(folder);
const typedoc = join(folder, "node_modules", "typedoc", "bin", "typedoc");
const { status } = spawnSync(process.execPath, [typedoc, "--options", join(folder, "typedoc.json")], { stdio: "inherit" });
process.exit(status ?? 1);
