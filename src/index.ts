export type { AllocateOptions } from "./allocate/options.ts";
export type { RunDiff } from "./audit/diff/diff.ts";
export type { Lineage } from "./audit/lineage.ts";
export type { Repro } from "./audit/repro/repro.ts";
export type { Reproduction } from "./audit/repro/reproduce.ts";
export type { Certificate } from "./audit/verify/certificate.ts";
export { type Config, defineConfig, type Overrides } from "./config.ts";
export { type ErrorCode, isScytheError, ScytheError } from "./errors.ts";
export type { Context } from "./experiment/context.ts";
export {
  type AnyExperiment,
  defineExperiment,
  type Experiment,
  type ExperimentDefinition,
  type Table,
  type Tables,
  table,
} from "./experiment/define.ts";
export { openProject, type Scythe } from "./project.ts";
export type { PartialResults } from "./results/partial-tables.ts";
export type { OpenResultsOptions, ResultFile, Results } from "./results/results.ts";
export type { ErrorRow, ScalarRow, TableRow } from "./results/rows.ts";
export type { FailureLimit } from "./run/failure-limit.ts";
export type { Report } from "./run/report.ts";
export type { VersionBump, VersionRequest } from "./run/version.ts";
export type { ExtendOptions } from "./runs/extend.ts";
export type { Progress } from "./runs/progress.ts";
export type { RetryOptions } from "./runs/retry.ts";
export type { ResumeOptions, Run } from "./runs/run.ts";
export type { LogOptions, RunLogs, SpecLog } from "./runs/run-logs.ts";
export type { CancelOptions, CancelOutcome } from "./runs/steer.ts";
export { type Random, randomFrom } from "./sampling/random.ts";
export { fileRef } from "./schema/file-ref.ts";
export { localStorage } from "./storage/local/local.ts";
export { type S3StorageOptions, s3Storage } from "./storage/s3/s3.ts";
export type { Storage } from "./storage/storage.ts";
