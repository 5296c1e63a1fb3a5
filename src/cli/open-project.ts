import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ScytheError } from "../errors.ts";
import type { Overrides, Scythe, Storage } from "../index.ts";

/** Opens the project at or above the current directory for the time of `work`. */
export async function withProject<T>(overrides: Overrides, work: (project: Scythe) => Promise<T>): Promise<T> {
  const { openProject } = await import("../index.ts");
  process.setSourceMapsEnabled(true); // stacks name the project's own lines; our modules' maps are not read until here
  return using(await printingAside(() => openProject(process.cwd(), overrides)), work);
}

/** What a config, or a package that it imports, prints while it is loaded goes to stderr: it is not the command's data. */
async function printingAside<T>(work: () => Promise<T>): Promise<T> {
  const { write } = process.stdout;
  process.stdout.write = process.stderr.write.bind(process.stderr) as typeof write;
  try {
    return await work();
  } finally {
    process.stdout.write = write;
  }
}

/**
 * For commands that only read. A storage that is named needs no project, and none is loaded then: a config that lies in a
 * folder of downloaded runs, or above it, is foreign code.
 */
export async function withStorage<T>(
  { storage }: { storage?: string },
  work: (project: Scythe) => Promise<T>,
): Promise<T> {
  if (storage === undefined) return withProject({}, work);
  const { openProject } = await import("../index.ts");
  const project = await openProject({ experiments: [] }, { storage });
  return using(project, async () => {
    assertThere(project.storage);
    return work(project);
  });
}

/** A folder that does not exist is probably a typo. */
function assertThere({ uri }: Storage): void {
  if (!uri.startsWith("file:") || existsSync(new URL(uri))) return;
  throw new ScytheError("not_found", `There is no folder ${fileURLToPath(uri)}`, {
    hint: "Check --storage: a relative folder is relative to the current directory.",
  });
}

async function using<T>(project: Scythe, work: (project: Scythe) => Promise<T>): Promise<T> {
  try {
    return await work(project);
  } finally {
    await project.close();
  }
}
