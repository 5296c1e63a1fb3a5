export const SHELLS = ["bash", "zsh", "fish"] as const;

/**
 * Each runs `scythe __complete <words>`, which prints one candidate per line, with its description after a tab; no
 * candidates means the names of files.
 */
export const COMPLETION_SCRIPTS: Record<(typeof SHELLS)[number], string> = {
  // bash splits a word at `@`, `=` and `:` and wants only what comes after; the whole word is in COMP_LINE
  bash: `_scythe() {
  local line="\${COMP_LINE:0:COMP_POINT}" words word candidate break
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  word="\${words[\${#words[@]} - 1]}"
  local before=""
  for break in @ = :; do
    if [[ $COMP_WORDBREAKS == *$break* && $word == *$break* ]]; then
      candidate="\${word%"\${word##*"$break"}"}"
      (( \${#candidate} > \${#before} )) && before="$candidate"
    fi
  done
  COMPREPLY=()
  while IFS=$'\\t' read -r candidate _; do
    [[ -n $candidate ]] && COMPREPLY+=("\${candidate#"$before"}")
  done < <("\${words[0]}" __complete "\${words[@]:1}" 2> /dev/null)
}
complete -o default -o bashdefault -F _scythe scythe
`,
  zsh: `#compdef scythe
_scythe() {
  local -a lines names shown
  local line
  lines=("\${(@f)$("\${words[1]}" __complete "\${(@)words[2,CURRENT-1]}" "$PREFIX" 2> /dev/null)}")
  for line in $lines; do
    names+=("\${line%%$'\\t'*}")
    shown+=("\${line/$'\\t'/  -- }")
  done
  if (( \${#names} )); then compadd -l -d shown -a names; else _files; fi
}
if [[ $funcstack[1] == _scythe ]]; then _scythe "$@"; else compdef _scythe scythe; fi
`,
  fish: `function __scythe_complete
  set -l words (commandline -opc)
  set -l word (commandline -ct)
  set -l found (command $words[1] __complete $words[2..-1] "$word" 2> /dev/null)
  if test (count $found) -gt 0
    printf '%s\\n' $found
  else
    __fish_complete_path "$word"
  end
end
complete -c scythe -f -a '(__scythe_complete)'
`,
};
