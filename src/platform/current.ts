import { darwin } from "./darwin.ts";
import { linux } from "./linux.ts";
import type { Platform } from "./platform.ts";
import { unix } from "./unix.ts";
import { windows } from "./windows.ts";

const KNOWN: Partial<Record<NodeJS.Platform, Platform>> = { linux, android: linux, darwin, win32: windows };

/** The platform that this process runs on. */
export const platform: Platform = KNOWN[process.platform] ?? unix;
