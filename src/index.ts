export type { DesignPlace, DesignRequest, DesignSpecs } from "./allocate/design-specs.ts";
export type { AllocateOptions } from "./allocate/options.ts";
export type { SpecsInput } from "./allocate/spec-source.ts";
export type { Losses } from "./analysis/blocks.ts";
export type { Correlation, DescribeOptions, Description, OutputDescription } from "./analysis/describe.ts";
export type { FailureRegion, FailuresByInput } from "./analysis/describe-failures.ts";
export { SENSITIVITY_METHODS, type SensitivityMethod } from "./analysis/method-names.ts";
export type { SensitivityOptions } from "./analysis/sensitivity.ts";
export type { LeftOut, OutputSensitivity, Sensitivity, SensitivityIndex, Unit } from "./analysis/sensitivity-result.ts";
export { sensitivityParquet } from "./analysis/sensitivity-table.ts";
export { type NextStep, nextStep, type UntilOptions, type WidestIndex } from "./analysis/until.ts";
export type { Audit } from "./audit/audit.ts";
export { commitText, type EnvironmentChange } from "./audit/code-change.ts";
export type { ColumnDiff, Example as DiffExample, TableDiff } from "./audit/diff/columns.ts";
export type { DiffOptions, RunDiff } from "./audit/diff/diff.ts";
export type { FilesDiff } from "./audit/diff/files.ts";
export type { ArtifactsDiff, FieldChange } from "./audit/diff/schema.ts";
export type { OutcomesDiff, SpecsDiff } from "./audit/diff/two-runs.ts";
export type { Ancestor, Lineage, LineageArtifact } from "./audit/lineage.ts";
export type { Repro, ReproOptions } from "./audit/repro/repro.ts";
export type { Reproduction } from "./audit/repro/reproduce.ts";
export type {
  Certificate,
  Check,
  CheckedFile,
  CheckName,
  Difference,
  Problem,
  SampleOutcome,
} from "./audit/verify/certificate.ts";
export type { VerifyOptions } from "./audit/verify/verify.ts";
export { type Config, defineConfig, type Overrides, type Settings, type WorkerSettings } from "./config.ts";
export { examineSetup } from "./doctor.ts";
export type { Finding, HatchetWorker } from "./engine/hatchet/shown.ts";
export { type ErrorCode, type ErrorOptions, isScytheError, messageOf, ScytheError } from "./errors.ts";
export type { Context } from "./experiment/context.ts";
export {
  type AnyExperiment,
  defineExperiment,
  type Experiment,
  type ExperimentColumns,
  type ExperimentDefinition,
  type Feature,
  type Features,
  type RunOutput,
  type Table,
  type Tables,
  table,
  type WorkerLabel,
} from "./experiment/define.ts";
export { inputSchemaOf, isScalarField, parseField } from "./experiment/fields.ts";
export { parseDuration } from "./experiment/quantities.ts";
export type { Registry } from "./experiment/registry.ts";
export { type ErrorKind, FAILURE_KINDS, type RetryPolicy } from "./experiment/retry.ts";
export { initProject, type NewProject } from "./init-project.ts";
export { openProject, openRuns } from "./open-project.ts";
export { packageVersion } from "./package.ts";
export type { Scythe, SpecOf } from "./project.ts";
export { readSpecs } from "./read-specs.ts";
export { isSecretName, redact } from "./redact.ts";
export type { FailureGroup } from "./results/failure-groups.ts";
export type { FailedSpec, FailureOptions, FailureSummary } from "./results/failures.ts";
export type { PartialResults } from "./results/partial-tables.ts";
export type { Answer } from "./results/query.ts";
export type { OpenResultsOptions, ResultFile, Results, ResultTable } from "./results/results.ts";
export type { ErrorRow, RowIds, ScalarRow, TableName, TableRow } from "./results/rows.ts";
export type { TableReader } from "./results/table-reader.ts";
export type { Environment } from "./run/environment.ts";
export type { FailureLimit } from "./run/failure-limit.ts";
export type { RunId, RunLayout } from "./run/layout.ts";
export type { Manifest, ManifestDetails, Recursion, SpecsFile } from "./run/manifest.ts";
export type { Owner } from "./run/owner.ts";
export type { FinalFile, GenerationRecord, Report } from "./run/report.ts";
export { RUN_PARTS, type RunPart } from "./run/run-paths.ts";
export type { RetryPlan, RunState, RunStatus, ShownStatus } from "./run/state.ts";
export type { VersionBump, VersionRequest } from "./run/version.ts";
export type { Catalog } from "./runs/catalog.ts";
export type { RunDescription } from "./runs/describe.ts";
export type { ExtendOptions } from "./runs/extend.ts";
export type { ListedExperiment, ListedRun } from "./runs/listing.ts";
export type { RunOutcome } from "./runs/outcome.ts";
export type { RunOverview, RunRecord } from "./runs/overview.ts";
export type { NewFailure, Progress } from "./runs/progress.ts";
export type { RetryOptions } from "./runs/retry.ts";
export type { ResumeOptions, Run } from "./runs/run.ts";
export type { LogOptions, RunLogs, SpecLog } from "./runs/run-logs.ts";
export type { RunOnceOptions, RunOnceResult } from "./runs/run-once.ts";
export type { CancelOptions, CancelOutcome } from "./runs/steer.ts";
export type { Study, StudyMove } from "./runs/study-file.ts";
export { Design, type RowRange, type Spec, type SpecBatch, specsOf, type Tally } from "./sampling/design/design.ts";
export type { DesignOptions } from "./sampling/design/design-kinds.ts";
export { DESIGN_NAMES, type DesignName } from "./sampling/design/names.ts";
export {
  type DesignDescription,
  type DesignPoints,
  type DesignRequest as PointsRequest,
  designWarnings,
  joinedDesign,
  nextPoints,
  planDesign,
  type Where,
} from "./sampling/design/plan.ts";
export { centredDiscrepancy, leastDistance } from "./sampling/points/discrepancy.ts";
export { evenLevels, grid, oneAtATime } from "./sampling/points/grid.ts";
export { type HaltonOptions, halton } from "./sampling/points/halton.ts";
export type { LatinCriterion } from "./sampling/points/latin-exchange.ts";
export { type LatinHypercubeOptions, latinHypercube } from "./sampling/points/latin-hypercube.ts";
export { type MorrisOptions, morris } from "./sampling/points/morris.ts";
export { type PointBatch, type PointRange, type PointSet, pointBatches } from "./sampling/points/point-set.ts";
export { type RandomPointsOptions, randomPoints } from "./sampling/points/random-points.ts";
export { type SaltelliOptions, saltelli } from "./sampling/points/saltelli.ts";
export { type SobolOptions, type SobolScramble, sobol } from "./sampling/points/sobol.ts";
export { type Random, randomFrom } from "./sampling/random.ts";
export { distributionText, parseDistribution } from "./sampling/space/distribution-text.ts";
export {
  type Beta,
  beta,
  type Discrete,
  type Distribution,
  discrete,
  type Files,
  type Fixed,
  files,
  fixed,
  type Level,
  type LogUniform,
  loguniform,
  type Normal,
  normal,
  type Triangular,
  type TruncatedNormal,
  triangular,
  truncatedNormal,
  type Uniform,
  uniform,
} from "./sampling/space/distributions.ts";
export type { Space, SpaceField } from "./sampling/space/space.ts";
export { type SpaceReading, type SpaceRequest, spaceOf } from "./sampling/space/space-of-schema.ts";
export type { ErrorField } from "./scatter/final-columns.ts";
export { ID_COLUMNS } from "./schema/base.ts";
export type { Column, ColumnType } from "./schema/columns.ts";
export { fileRef } from "./schema/file-ref.ts";
export { type ReadOptions, SpecReader, type SpecRecord, TEXT_FORMATS, type TextFormat } from "./spec-file/source.ts";
export type { WriteSpecsOptions } from "./spec-file/write.ts";
export { localStorage } from "./storage/local/local.ts";
export type { S3Credentials } from "./storage/s3/address.ts";
export type { S3Limits } from "./storage/s3/limits.ts";
export { type S3StorageOptions, s3Storage } from "./storage/s3/s3.ts";
export type { ObjectInfo, PutCondition, PutResult, Storage, StoredObject } from "./storage/storage.ts";
export type { SqlRow } from "./table/duckdb.ts";
export type { Garbage } from "./transfer/collect-garbage.ts";
export type { Downloaded, DownloadOptions } from "./transfer/download.ts";
export type { RunSizes, Size } from "./transfer/run-sizes.ts";
export type { TransferOptions, TransferProgress } from "./transfer/transfer.ts";
export type { Copied, CopyOptions, GarbageOptions, Transfers } from "./transfer/transfers.ts";
export type { LogSource } from "./worker/protocol.ts";
export type { Failure } from "./worker/task/failure.ts";
