import type { SampleVerdict } from '@cairn/light-client';
import { createNodeTransport } from '@cairn/node-runtime/transport';
import { parseRoot } from '@cairn/primitives';
import type { CommandContext, CommandIo } from '../io.ts';
import { writeJson, writeLine } from '../output.ts';
import { type BlobOptions, onItsShard, reachBlob } from '../reach-blob.ts';
import { basisOf, EXIT_OF_VERDICT, verdictJson } from '../sample-outcome.ts';

/**
 * Verifies a blob's certificate, asks the signers for rows of a private draw, and prints the verdict.
 * The disperser is asked for the certificate only, and not where it is gone or a file has it.
 */
export async function daSample(
  idText: string | undefined,
  options: BlobOptions & { readonly json?: boolean },
  context: CommandContext,
): Promise<number> {
  const id = idText === undefined ? undefined : parseRoot(idText);
  const { io, signal } = context;
  const transport = createNodeTransport();
  try {
    const placed = await onItsShard(id, options, context);
    const { client, certified, sockets } = await reachBlob(id, placed, context, transport);
    const verdict = await client.sample(certified, sockets, { signal });
    await print(verdict, options.json === true, io);
    return EXIT_OF_VERDICT[verdict.kind];
  } finally {
    await transport.close();
  }
}

async function print(verdict: SampleVerdict, isJson: boolean, io: CommandIo): Promise<void> {
  const { drawn, answered, needed, holders, missing } = verdict.report;
  if (isJson) {
    const gaps = missing.map(({ index, holder, code }) => ({ index, holder, code }));
    await writeJson(io, { ...verdictJson(verdict), missing: gaps });
    return;
  }
  await writeLine(io, verdict.kind);
  io.writeErr(`${answered} of ${drawn} rows came from ${holders} signers${basisOf(verdict)}\n`);
  // Once a row is evidence the others are not waited for.
  if (answered < drawn && verdict.kind !== 'badEncoding') {
    const silent = new Set(missing.map(({ holder }) => holder)).size;
    io.writeErr(`${silent} did not give theirs; any ${needed} rows give the blob back\n`);
  }
}
