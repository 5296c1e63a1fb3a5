import { randomUUID } from "node:crypto";
import type { Overrides } from "./config.ts";
import type { Finding } from "./engine/hatchet/shown.ts";
import { isScytheError, messageOf } from "./errors.ts";
import { openProject } from "./open-project.ts";
import { packageVersion } from "./package.ts";
import type { Scythe } from "./project.ts";
import type { Storage } from "./storage/storage.ts";

/**
 * Looks at what a run needs (project, storage, and a cluster's token, server, clock and workers), and says what to do
 * about what is missing. Holds no secrets.
 * @param where a folder at or below the project's
 */
export async function examineSetup(
  where: string = process.cwd(),
  overrides: Pick<Overrides, "storage" | "engine"> = {},
): Promise<Finding[]> {
  const versions: Finding = {
    what: "versions",
    state: "ok",
    said: `scythe ${packageVersion()}, Node ${process.versions.node}`,
  };
  let project: Scythe;
  try {
    project = await openProject(where, overrides);
  } catch (error) {
    return [versions, problem("project", error)];
  }
  try {
    const { registry, settings } = project;
    const experiments: Finding = {
      what: "project",
      state: "ok",
      said: `${registry.names.join(", ")}; engine ${settings.engine}`,
    };
    const cluster = await clusterFindings(project);
    return [versions, experiments, ...(await storageFindings(project.storage, settings.engine)), ...cluster];
  } finally {
    await project.close();
  }
}

async function clusterFindings({ registry, settings, storage }: Scythe): Promise<Finding[]> {
  const { hasHatchetToken, hatchetOptions } = await import("./hatchet-options.ts");
  if (settings.engine !== "hatchet" && !hasHatchetToken()) return [];
  const { diagnose } = await import("./engine/hatchet/diagnose.ts");
  return diagnose(hatchetOptions(registry, settings, storage));
}

/** Writes, reads, lists and removes a small object: what a policy forbids shows here and not in the middle of a run. */
async function storageFindings(storage: Storage, engine: string): Promise<Finding[]> {
  const key = `scythe-doctor-${randomUUID()}`;
  const uri = storage.uriOf("");
  try {
    await storage.put(key, "well", { ifAbsent: true });
    await storage.get(key);
    await storage.delete([key]);
  } catch (error) {
    return [problem(`storage ${uri}`, error)];
  }
  const caveats = await storage.caveats?.().catch(() => []);
  const warnings = (caveats ?? []).map((caveat): Finding => ({ what: "storage", state: "warning", ...caveat }));
  if (engine === "hatchet" && uri.startsWith("file:")) {
    const todo = "Set SCYTHE_STORAGE_BUCKET, or make sure that all workers see this very folder (NFS).";
    const said = `${uri} can be written, but is a folder of this machine`;
    return [{ what: "storage", state: "warning", said, todo }, ...warnings];
  }
  return [{ what: "storage", state: "ok", said: `${uri} can be written, read and cleaned` }, ...warnings];
}

function problem(what: string, error: unknown): Finding {
  const todo = isScytheError(error) ? error.hint : undefined;
  return { what, state: "problem", said: messageOf(error), ...(todo === undefined ? {} : { todo }) };
}
