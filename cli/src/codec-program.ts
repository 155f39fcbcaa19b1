import { type Command, Option } from 'commander';
import type { Runs } from './program.ts';

/** Declares the commands that encode files into rows and read them back. They need no network. */
export function codecCommands(program: Command, runs: Runs): void {
  const codec = program
    .command('codec')
    .description('Blobs as rows of an erasure code: any K of them give a blob back.');
  backend(
    codec
      .command('encode <path>')
      .description('Encode a file or - (stdin) into rows, and print the commitment to them.')
      .requiredOption('--out <directory>', 'where rows and proofs go; a new or an empty one'),
  )
    .addOption(
      new Option('--cosets <count>', 'parity rows for each data row')
        .choices(['1', '2', '3'])
        .default('3'),
    )
    .addOption(
      new Option('--min-rows <count>', 'data rows at least, for quorums of many members')
        .choices(['64', '256', '1024', '4096'])
        .default('64'),
    )
    .addOption(
      new Option('--suite <name>', 'hashes of the commitment')
        .choices(['blake3', 'sha256'])
        .default('blake3'),
    )
    .action(
      runs(async () => (await import('./commands/codec-encode.ts')).codecEncode, {
        cosets: (parse) => parse.parseCount(1),
        minRows: (parse) => parse.parseCount(1),
      }),
    );
  codec
    .command('verify <directory>')
    .description('Check every row against the commitment, as its holder would.')
    .option('--json', 'print JSON')
    .action(runs(async () => (await import('./commands/codec-verify.ts')).codecVerify));
  backend(
    codec
      .command('decode <directory>')
      .description('Read the file back from its rows, whichever are there.')
      .requiredOption('--out <file>', 'file to write'),
  )
    .option(
      '--drop <rows>',
      'leave rows out: random:N, random:max or coset:J; may be repeated',
      (value: string, before: readonly string[] | undefined) => [...(before ?? []), value],
    )
    .option('--seed <number>', 'which rows random ones are')
    .option('--force', 'replace the file that is there')
    .action(
      runs(async () => (await import('./commands/codec-decode.ts')).codecDecode, {
        drop: (parse) => parse.parseDrop,
        seed: (parse) => parse.parseCount(0),
      }),
    );
  codec
    .command('bench')
    .description('What this machine encodes, hashes, combines, verifies and decodes a second.')
    .option('--size <size>', 'bytes of the blob', '8MiB')
    .option('--json', 'print JSON')
    .action(
      runs(async () => (await import('./commands/codec-bench.ts')).codecBench, {
        size: (parse) => parse.parseSize,
      }),
    );
}

function backend(command: Command): Command {
  return command
    .addOption(
      new Option('--codec <name>', 'what encodes; auto: the fastest that passes a test here')
        .choices(['auto', 'reference', 'wasm', 'wasm-relaxed', 'gpu'])
        .default('auto'),
    )
    .option('--json', 'print JSON');
}
