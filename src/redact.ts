/** Replaces a secret. All patterns are bounded, as texts may come from anywhere. */
const HIDDEN = "…";
const NAME =
  "(?:[\\w.-]{0,48}(?:passw(?:or)?d|passphrase|passwd|secret|token|credential|signature|api[_-]?key|access[_-]?key|private[_-]?key|account[_-]?key)[\\w.-]{0,48}|sig|pwd|auth|authorization|x-amz-[\\w-]{1,48}|awsaccesskeyid|googleaccessid)";

const RULES: readonly [RegExp, string][] = [
  // user and password of a URL
  [/\b([a-z][a-z0-9+.-]{1,20}:\/\/)[^/?#@\s"'<>]{1,512}@/gi, `$1${HIDDEN}@`],
  // name=value, of a URL's query or of anything else
  [new RegExp(`(^|[^\\w.-])(${NAME})=("[^"\\n]*"|'[^'\\n]*'|[^&;,\\s"'<>)]+)`, "gi"), `$1$2=${HIDDEN}`],
  // "name": "value"
  [new RegExp(`(["'])(${NAME})\\1(\\s*[:=]\\s*)(["'])[^"'\\n]*\\4`, "gi"), `$1$2$1$3$4${HIDDEN}$4`],
  [/\b(Bearer|Basic)\s+[A-Za-z0-9+/=._~-]{8,}/g, `$1 ${HIDDEN}`],
  // recognisable by form: keys of AWS, GitHub, GitLab, Slack, Google, and signed tokens
  [/\b(AKIA|ASIA)[A-Z0-9]{12,}\b/g, HIDDEN],
  [/\b(gh[pousr]_|github_pat_|glpat-|xox[abprs]-|AIza)[A-Za-z0-9_-]{16,}/g, HIDDEN],
  [/\beyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]*/g, HIDDEN],
];

/** Replaces what looks like a secret, in any text that is stored or shown. */
export function redact(text: string): string {
  return RULES.reduce((rest, [pattern, replacement]) => rest.replace(pattern, replacement), text);
}

const SECRET_NAME = new RegExp(`^-{0,2}(?:${NAME}|pass)$`, "i");

/** True for the name of a field, flag or variable that probably contains a secret. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}
