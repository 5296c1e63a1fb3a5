import type { Platform } from "./platform.ts";
import { output } from "./processes.ts";
import { unix } from "./unix.ts";

/** macOS: `ps`, and the kernel's id of this boot. */
export const darwin: Platform = {
  ...unix,
  bootId: () => output("sysctl", ["-n", "kern.bootsessionuuid"]) || null,
};
