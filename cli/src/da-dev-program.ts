import { type Command, Option } from 'commander';
import type { Runs } from './program.ts';

/** Declares `da dev`: the doors of a disperser over memory. */
export function daDevCommand(da: Command, runs: Runs): void {
  da.command('dev')
    .description('The doors of a disperser over memory, with switches, to test a rollup against.')
    .option('--port <number>', 'REST, OP Stack and EigenDA; 0: any free one, for all', '3100')
    .option('--grpc-port <number>', '0G’s gRPC; 51001 unless told')
    .option('--nitro-port <number>', 'Arbitrum Nitro; 9880 unless told')
    .option('--admin-port <number>', 'switches, on loopback; 3199 unless told')
    .option('--host <address>', 'where the doors listen', '127.0.0.1')
    .option(
      '--admin-token-file <file>',
      'what turns switches; made if missing',
      '.cairn/da-dev.token',
    )
    .option('--latency <stages>', 'such as dispersed=50ms,confirmed=12s,final=1m,read=0')
    .option('--memory <size>', 'of payloads; the oldest final ones make room', '512MiB')
    .option('--put-timeout <duration>', 'time for a rollup’s put, then it fails over', '60s')
    .addOption(
      new Option('--put-wait <stage>', 'how far a blob is when its put is answered')
        .choices(['dispersed', 'confirmed', 'final'])
        .default('dispersed'),
    )
    .option('--epoch-file <file>', 'write what `cairn da verify --epoch-file` takes')
    .option('--json', 'print JSON')
    .action(
      runs(async () => (await import('./commands/da-dev.ts')).daDev, {
        port: (parse) => parse.parsePort,
        grpcPort: (parse) => parse.parsePort,
        nitroPort: (parse) => parse.parsePort,
        adminPort: (parse) => parse.parsePort,
        memory: (parse) => parse.parseSize,
        putTimeout: (parse) => parse.parseDuration,
      }),
    );
}
