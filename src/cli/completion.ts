import { Argument, type Command } from "commander";

export const SHELLS = ["bash", "zsh", "fish"] as const;

const HOW = `
To have it in every shell:
  bash   echo 'source <(scythe completion bash)' >> ~/.bashrc
  zsh    echo 'source <(scythe completion zsh)' >> ~/.zshrc      (after compinit)
  fish   scythe completion fish > ~/.config/fish/completions/scythe.fish`;

export function registerCompletion(program: Command): void {
  program
    .command("completion")
    .summary("print a script that completes commands, flags and names in a shell")
    .description("Prints a completion script for a shell: commands, flags, experiments, runs and their versions.")
    .addArgument(new Argument("<shell>", "the shell").choices(SHELLS))
    .option("--json", "print one JSON value to stdout")
    .addHelpText("after", HOW)
    .action(async (shell: (typeof SHELLS)[number], { json }: { json?: boolean }) => {
      const { COMPLETION_SCRIPTS } = await import("./completion-scripts.ts");
      const { print } = await import("./output.ts");
      const script = COMPLETION_SCRIPTS[shell];
      await print(json ? `${JSON.stringify({ shell, script }, null, 2)}\n` : script);
    });
}
