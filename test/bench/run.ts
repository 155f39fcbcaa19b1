// `npm run bench -- <suite> [--json]`: measures beside peers in the same run.
// `codec` also takes `--gpu`, and `--leopard PATH`: a built program that prints as Leopard's benchmark does.
// `da` takes `--part gas|wire|network|growth` for one part of it, `storage-network` `--part mining|peer-sync`,
// `kv` `--part replay|proofs|snapshot|client`, `consensus-shards` `--part quick`.
import { parseArgs } from 'node:util';
import { type Report, reportTable } from './report.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    gpu: { type: 'boolean', default: false },
    leopard: { type: 'string' },
    part: { type: 'string' },
  },
});
const { leopard } = values;
const SUITES: Readonly<Record<string, () => Promise<Report>>> = {
  storage: async () => (await import('./storage.ts')).measureStorage(),
  codec: async () =>
    (await import('./codec.ts')).measureCodec({
      isGpu: values.gpu,
      ...(leopard === undefined ? {} : { leopard }),
    }),
  da: async () => (await import('./da.ts')).measureDa(values.part),
  'consensus-shards': async () =>
    (await import('./consensus-shards.ts')).measureConsensusShards(values.part),
  kv: async () => (await import('./kv.ts')).measureKv(values.part),
  'storage-network': async () =>
    (await import('./storage-network.ts')).measureStorageNetwork(values.part),
};

const [name = ''] = positionals;
const suite = SUITES[name];
if (suite === undefined) {
  process.stderr.write(`no suite "${name}"; there is: ${Object.keys(SUITES).join(', ')}\n`);
  process.exit(2);
}
const report = await suite();
process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : reportTable(report));
