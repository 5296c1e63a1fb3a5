import type { AllocatedRun } from "../allocate/allocate.ts";
import type { AnyExperiment } from "../experiment/define.ts";
import type { Storage } from "../storage/storage.ts";
import type { ClaimOptions } from "./claim-drive.ts";
import { startDrive } from "./drive.ts";
import type { RunHome } from "./home.ts";
import { Run } from "./run.ts";

/**
 * Starts an allocated run on this project's engine, as its only driver.
 * @throws ScytheError `conflict` when another process drives it, or it is complete
 */
export async function startRun<E extends AnyExperiment>(
  storage: Storage,
  home: RunHome,
  experiment: E,
  { layout, manifest }: AllocatedRun,
  options: ClaimOptions = {},
): Promise<Run<E>> {
  const drive = await startDrive(storage, home, experiment, layout, options);
  return new Run(storage, layout, manifest, experiment, { home: async () => home, drive });
}
