import type { SampleVerdict } from '@cairn/light-client';
import { createNodeTransport } from '@cairn/node-runtime/transport';
import { parseRoot } from '@cairn/primitives';
import { openDaChain, socketsOf, verifyOnChain } from '../da-chain.ts';
import { chooseDaChain, chooseDisperser, type DaNetworkOptions } from '../da-options.ts';
import { DisperserClient } from '../disperser-client.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { CommandContext, CommandIo } from '../io.ts';
import { lightClientOf, placeOf, readKnownEpoch } from '../known-epoch.ts';
import { writeJson, writeLine } from '../output.ts';

/** What a verdict means to scripts. */
const EXIT_OF: Readonly<Record<SampleVerdict['kind'], ExitCode>> = {
  available: EXIT.ok,
  unavailable: EXIT.timeout,
  badEncoding: EXIT.verification,
};

/**
 * Takes a blob's certificate from the disperser, checks it by the chain, asks the signers for rows,
 * and prints the verdict.
 */
export async function daSample(
  idText: string,
  options: DaNetworkOptions & { readonly json?: boolean },
  { io, signal }: CommandContext,
): Promise<number> {
  const id = parseRoot(idText);
  const disperser = new DisperserClient(await chooseDisperser(options, io));
  const place = await chooseDaChain(options, io);
  const transport = createNodeTransport();
  try {
    const certificate = await disperser.certificate(id, { signal });
    const chain = await openDaChain(place, { signal });
    try {
      const known = await readKnownEpoch(chain, placeOf(certificate).epoch, { signal });
      const client = await lightClientOf(known, transport);
      const certified = await verifyOnChain(certificate, known, chain, { signal });
      const verdict = await client.sample(certified, await socketsOf(chain, signal), { signal });
      await print(verdict, options.json === true, io);
      return EXIT_OF[verdict.kind];
    } finally {
      await chain.close();
    }
  } finally {
    await transport.close();
    await disperser.close();
  }
}

/** How sure it is, from 0 to 1, that everyone can read the blob. */
function confidenceOf(verdict: SampleVerdict): number {
  if (verdict.kind !== 'available') return 0;
  const { confidence } = verdict;
  return confidence.kind === 'read' ? 1 : 1 - 2 ** -confidence.bits;
}

async function print(verdict: SampleVerdict, isJson: boolean, io: CommandIo): Promise<void> {
  const { drawn, answered, needed, holders, missing } = verdict.report;
  if (isJson) {
    await writeJson(io, {
      verdict: verdict.kind,
      confidence: confidenceOf(verdict),
      samples: drawn,
      answered,
      holders,
      missing: missing.map(({ index, holder, code }) => ({ index, holder, code })),
    });
    return;
  }
  await writeLine(io, verdict.kind);
  io.writeErr(`${answered} of ${drawn} rows came from ${holders} signers${basisOf(verdict)}\n`);
  if (answered < drawn) {
    const silent = new Set(missing.map(({ holder }) => holder)).size;
    io.writeErr(`${silent} did not give theirs; any ${needed} rows give the blob back\n`);
  }
}

function basisOf(verdict: SampleVerdict): string {
  switch (verdict.kind) {
    case 'available':
      return verdict.confidence.kind === 'read'
        ? ': the blob was read whole'
        : `; by chance that would be so once in 2^${verdict.confidence.bits}`;
    case 'unavailable':
      return ': too few';
    case 'badEncoding':
      return ': they are of no payload';
  }
}
