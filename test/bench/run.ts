// `npm run bench -- <suite> [--json]`: measures beside peers in the same run.
import { type Report, reportTable } from './report.ts';

const SUITES: Readonly<Record<string, () => Promise<Report>>> = {
  storage: async () => (await import('./storage.ts')).measureStorage(),
};

const [name = ''] = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const suite = SUITES[name];
if (suite === undefined) {
  process.stderr.write(`no suite "${name}"; there is: ${Object.keys(SUITES).join(', ')}\n`);
  process.exit(2);
}
const report = await suite();
process.stdout.write(
  process.argv.includes('--json') ? `${JSON.stringify(report)}\n` : reportTable(report),
);
