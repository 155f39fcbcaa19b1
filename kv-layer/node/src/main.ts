/** Entry of the process: `node dist/main.js --config FILE`. */
import { runProcess } from './run-process.ts';

process.exitCode = await runProcess(process.argv.slice(2), process);
