import { stringify } from "yaml";
import type { AnyExperiment } from "../experiment/define.ts";
import type { KeptArtifact } from "../files/artifacts.ts";
import { sha256Of } from "../run/checksum.ts";
import type { InputArtifactsFile } from "../run/input-artifacts.ts";
import { RUN_SCHEME, RunLayout } from "../run/layout.ts";
import type { ManifestDetails } from "../run/manifest.ts";
import { specRunId } from "../run/spec-run-id.ts";
import { jsonSchemaOf } from "../schema/json-schema.ts";
import type { Storage } from "../storage/storage.ts";
import type { SpecIds } from "./publish.ts";

/**
 * Stores the files that describe a run's schemas and input files.
 * @param only the spec of a single-spec run
 */
export async function putDescriptions(
  storage: Storage,
  layout: RunLayout,
  experiment: AnyExperiment,
  artifacts: readonly KeptArtifact[],
  only: Record<string, unknown> | undefined,
  ids: SpecIds,
): Promise<Pick<ManifestDetails, "io_spec_sha256" | "input_artifacts_sha256" | "workflow_spec_sha256">> {
  const schema = {
    type: "object",
    title: "ExperimentIO",
    properties: { input: jsonSchemaOf(experiment.input), output: jsonSchemaOf(experiment.output) },
    required: ["input", "output"],
  };
  const files: Record<string, string[]> = {};
  const sha256: Record<string, string> = {};
  const names: Record<string, string> = {};
  for (const artifact of artifacts) {
    const uri = storage.uriOf(layout.key(artifactPath(artifact)));
    files[artifact.field] ??= [];
    files[artifact.field]!.push(uri);
    if (artifact.sha256 !== undefined) sha256[uri] = artifact.sha256;
    if (artifact.name !== undefined) names[uri] = artifact.name;
  }
  const renamed = Object.keys(names).length > 0 ? { names } : {};
  const put = async (key: string, content: unknown): Promise<string> => {
    const text = stringify(content);
    await storage.put(key, text);
    return sha256Of(text);
  };
  return {
    io_spec_sha256: await put(layout.ioSpec, schema),
    input_artifacts_sha256: await put(layout.inputArtifacts, {
      files,
      sha256,
      ...renamed,
    } satisfies InputArtifactsFile),
    workflow_spec_sha256: only ? await put(layout.workflowSpec, singleSpec(only, ids)) : null,
  };
}

export function artifactPath({ field, file }: KeptArtifact): string {
  return RunLayout.artifactPath(field, file);
}

function singleSpec(spec: Record<string, unknown>, ids: SpecIds): Record<string, unknown> {
  const absolute = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(absolute);
    return typeof value === "string" && value.startsWith(RUN_SCHEME)
      ? `${ids.runUri}/${value.slice(RUN_SCHEME.length)}`
      : value;
  };
  const fields = Object.entries(spec).filter(([name]) => !name.startsWith("__"));
  return {
    experiment_id: ids.experimentId,
    workflow_run_id: specRunId(ids.rootRunId, Number(spec.sort_index)),
    root_workflow_run_id: ids.rootRunId,
    ...Object.fromEntries(fields.map(([name, value]) => [name, absolute(value)])),
  };
}
