import type { Overrides } from "../config.ts";
import { isScytheError } from "../errors.ts";
import { openProject, type Scythe } from "../project.ts";

/** Opens the project at or above the current directory for the time of `work`. */
export async function withProject<T>(overrides: Overrides, work: (project: Scythe) => Promise<T>): Promise<T> {
  return using(await openProject(process.cwd(), overrides), work);
}

/** For commands that only read: a storage that is named needs no project around it. */
export async function withStorage<T>(
  { storage }: { storage?: string },
  work: (project: Scythe) => Promise<T>,
  engine: Pick<Overrides, "engine" | "slots"> = {},
): Promise<T> {
  const overrides: Overrides = storage === undefined ? {} : { storage };
  const project = await openProject(process.cwd(), { ...overrides, ...engine }).catch((error: unknown) => {
    if (storage === undefined || !isScytheError(error) || error.code !== "not_found") throw error;
    return openProject({ experiments: [] }, overrides);
  });
  return using(project, work);
}

async function using<T>(project: Scythe, work: (project: Scythe) => Promise<T>): Promise<T> {
  try {
    return await work(project);
  } finally {
    await project.close();
  }
}
