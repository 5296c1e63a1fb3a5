import { Argument, type Command } from "commander";
import { COMPLETION_SCRIPTS, SHELLS } from "../completion/scripts.ts";
import { print } from "../output.ts";

const HOW = `
To have it in every shell:
  bash   echo 'source <(scythe completion bash)' >> ~/.bashrc
  zsh    echo 'source <(scythe completion zsh)' >> ~/.zshrc      (after compinit)
  fish   scythe completion fish > ~/.config/fish/completions/scythe.fish`;

export function register(command: Command): void {
  command
    .description("Prints a completion script for a shell: commands, flags, experiments, runs and their versions.")
    .addArgument(new Argument("<shell>", "the shell").choices(SHELLS))
    .option("--json", "print one JSON value to stdout")
    .addHelpText("after", HOW)
    .action(async (shell: (typeof SHELLS)[number], { json }: { json?: boolean }) => {
      const script = COMPLETION_SCRIPTS[shell];
      await print(json ? `${JSON.stringify({ shell, script }, null, 2)}\n` : script);
    });
}
