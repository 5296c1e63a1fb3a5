import { engineSuite } from "../engine.testsuite.ts";
import { inlineEngine } from "./inline.ts";

engineSuite("inlineEngine", 1, (programs) => ({ engine: inlineEngine(programs) }));
