// Prints the JSON Schema of study files, which editors use: templates/study.schema.json (after a build).
import { studyJsonSchema } from "../dist/runs/study-file.js";

process.stdout.write(`${JSON.stringify(studyJsonSchema(), null, 2)}\n`);
