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
export type { AllocateOptions } from "./run/allocate-options.ts";
export type { FailureLimit } from "./run/failure-limit.ts";
export type { Report } from "./run/report.ts";
export type { VersionBump, VersionRequest } from "./run/version.ts";
export { type Random, randomFrom } from "./sampling/random.ts";
export { fileRef } from "./spec/file-ref.ts";
export { localStorage } from "./storage/local.ts";
export { type S3StorageOptions, s3Storage } from "./storage/s3/s3.ts";
export type { Storage } from "./storage/storage.ts";
export type { Certificate } from "./study/certificate.ts";
export type { RunDiff } from "./study/diff.ts";
export type { ExtendOptions } from "./study/extend.ts";
export type { Lineage } from "./study/lineage.ts";
export type { Progress } from "./study/progress.ts";
export type { Repro } from "./study/repro.ts";
export type { Reproduction } from "./study/reproduce.ts";
export type { RetryOptions } from "./study/retry.ts";
export type { ResumeOptions, Run } from "./study/run.ts";
export type { LogOptions, RunLogs, SpecLog } from "./study/run-logs.ts";
export type { CancelOptions, Obeyed } from "./study/steer.ts";
