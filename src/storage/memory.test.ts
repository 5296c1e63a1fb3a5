import { memoryStorage } from "./memory.ts";
import { storageSuite } from "./storage.testsuite.ts";

storageSuite("memoryStorage", () => memoryStorage());
