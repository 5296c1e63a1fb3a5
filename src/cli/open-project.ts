import type { Overrides } from "../config.ts";
import { openProject, type Scythe } from "../project.ts";

/** Opens the project at or above the current directory for the time of `work`. */
export async function withProject<T>(overrides: Overrides, work: (project: Scythe) => Promise<T>): Promise<T> {
  return using(await openProject(process.cwd(), overrides), work);
}

/**
 * For commands that only read. A storage that is named needs no project, and none is loaded then: a config that lies in a
 * folder of downloaded runs, or above it, would be somebody's code.
 */
export async function withStorage<T>(
  { storage }: { storage?: string },
  work: (project: Scythe) => Promise<T>,
): Promise<T> {
  if (storage === undefined) return withProject({}, work);
  return using(await openProject({ experiments: [] }, { storage }), work);
}

async function using<T>(project: Scythe, work: (project: Scythe) => Promise<T>): Promise<T> {
  try {
    return await work(project);
  } finally {
    await project.close();
  }
}
