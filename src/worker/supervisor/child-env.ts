import { platform } from "../../platform/current.ts";
import { isSecretName } from "../../redact.ts";

/**
 * Environment variables that specs' processes get: where programs, folders and libraries are, and how they should
 * behave. Not keys and tokens of this machine's user: the supervisor fetches and stores files. `*` at the end of a name
 * matches any suffix.
 */
const PASSED_VARIABLES = [
  ...["PATH", "HOME", "USER", "LOGNAME", "SHELL", "PWD", "HOSTNAME", "TERM", "COLORTERM", "NO_COLOR", "FORCE_COLOR"],
  ...["LANG", "LANGUAGE", "LC_*", "TZ", "TMPDIR", "TMP", "TEMP", "XDG_*", "SSL_CERT_FILE", "SSL_CERT_DIR"],
  ...["NODE_*", "SCYTHE_*", "NVM_*", "LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_*", "LIBRARY_PATH"],
  ...["PYTHON*", "VIRTUAL_ENV", "CONDA_*", "R_*", "JULIA_*", "JAVA_HOME", "OMP_*", "MKL_*", "OPENBLAS_*", "KMP_*"],
  ...["CUDA_*", "NVIDIA_*", "ROCR_*", "SLURM_*", "PBS_*", "CI", "DEBUG", "EDITOR"],
  ...[
    "SystemRoot",
    "SystemDrive",
    "windir",
    "ComSpec",
    "PATHEXT",
    "APPDATA",
    "LOCALAPPDATA",
    "USERPROFILE",
    "HOMEDRIVE",
  ],
  ...["HOMEPATH", "ProgramData", "ProgramFiles*", "CommonProgramFiles*", "NUMBER_OF_PROCESSORS", "PROCESSOR_*", "OS"],
];

/** @param passEnv further names from the config; these may be secrets, as the user asked for them */
export function childEnv(passEnv: readonly string[], env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const [known, own] = [PASSED_VARIABLES, passEnv].map(matcher) as [RegExp, RegExp];
  const passed = Object.entries(env).filter(
    ([name, value]) => own.test(name) || (known.test(name) && !isSecretName(name) && !hasUserInfo(value)),
  );
  return Object.fromEntries(passed);
}

function matcher(names: readonly string[]): RegExp {
  const patterns = names.map((name) => name.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replace(/\*/g, ".*"));
  return new RegExp(`^(?:${patterns.join("|") || "(?!)"})$`, platform.ignoresCaseOfVariables ? "i" : "");
}

/** A URL may hold a password. */
function hasUserInfo(value: string | undefined): boolean {
  return /:\/\/[^/\s]*@/.test(value ?? "");
}
