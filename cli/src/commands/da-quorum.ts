import { resolve } from 'node:path';
import type { Committee } from '@cairn/attestation';
import { readPhase } from '@cairn/chain-access/da';
import { utf8Bytes } from '@cairn/primitives';
import { type DaChain, openDaChain } from '../da-chain.ts';
import { chooseDaChain, type DaNetworkOptions } from '../da-options.ts';
import { CliError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext, CommandIo } from '../io.ts';
import { formatKnownEpoch, readKnownEpoch } from '../known-epoch.ts';
import { writeLocalFile } from '../local-files.ts';
import { writeJson, writeLine } from '../output.ts';
import { formatTable } from '../table.ts';

/** What `cairn da quorum` takes. */
export interface DaQuorumOptions extends DaNetworkOptions {
  readonly epoch?: number;
  readonly out?: string;
  readonly json?: boolean;
}

/** Prints the epoch in office, or another, with the signers of its quorums. */
export async function daQuorum(
  options: DaQuorumOptions,
  { io, signal }: CommandContext,
): Promise<number> {
  const chain = await openDaChain(await chooseDaChain(options, io), { signal });
  try {
    const block = await chain.hub.finalBlock({ signal });
    const { phase, epoch: current } = await readPhase(chain.hub, { block, signal });
    const epoch = options.epoch ?? current;
    if (options.epoch === undefined && !(await isSealed(chain, epoch, signal))) {
      throw new CliError(
        { code: 'CLI_NO_COMMITTEE', epoch },
        `epoch ${epoch} has no committee: it prepares the first one (${phase})`,
      );
    }
    const quorums = await quorumsOf(chain, epoch, signal);
    if (options.out !== undefined) {
      const known = await readKnownEpoch(chain, epoch, { signal });
      const path = resolve(io.cwd, options.out);
      await writeLocalFile(path, utf8Bytes(formatKnownEpoch(known)), { overwrite: true, signal });
    }
    await chain.signers.refresh({ signal });
    await print(quorums, { phase, isCurrent: epoch === current, chain }, options, io);
    return EXIT.ok;
  } finally {
    await chain.close();
  }
}

async function isSealed({ epochs }: DaChain, epoch: number, signal: AbortSignal): Promise<boolean> {
  return (await epochs.sealed(epoch, { signal })) !== undefined;
}

/** The quorums that take blobs: the committee, where there are no others. */
async function quorumsOf(
  { epochs }: DaChain,
  epoch: number,
  signal: AbortSignal,
): Promise<readonly Committee[]> {
  const committee = await epochs.committee({ epoch, quorumId: 0 }, { signal });
  const groups = committee.snapshot.office.snapshotHashes.length;
  if (groups === 1) return [committee];
  const quorums: Committee[] = [];
  for (let quorumId = 1; quorumId < groups; quorumId += 1) {
    quorums.push(await epochs.committee({ epoch, quorumId }, { signal }));
  }
  return quorums;
}

async function print(
  quorums: readonly Committee[],
  {
    phase,
    isCurrent,
    chain,
  }: { readonly phase: string; readonly isCurrent: boolean; readonly chain: DaChain },
  { json }: DaQuorumOptions,
  io: CommandIo,
): Promise<void> {
  const [first] = quorums;
  if (first === undefined) throw new Error('unreachable: an epoch has a quorum');
  const { epoch, startSeconds, endSeconds } = first.snapshot.office;
  const members = quorums.flatMap((quorum) =>
    quorum.members.map(({ signer, seats }) => ({
      quorumId: quorum.snapshot.quorumId,
      signer,
      seats,
      url: chain.signers.get(signer)?.socket,
    })),
  );
  const now = isCurrent ? { phase } : {};
  if (json === true) {
    await writeJson(io, { epoch, ...now, startSeconds, endSeconds, members });
    return;
  }
  const times = [startSeconds, endSeconds].map((time) => new Date(time * 1000).toISOString());
  await writeLine(io, `epoch ${epoch}${isCurrent ? ` (${phase})` : ''}, ${times.join(' to ')}\n`);
  const rows = members.map(({ quorumId, signer, seats, url }) => [
    quorumId,
    seats,
    signer,
    url ?? '?',
  ]);
  await writeLine(io, formatTable(['QUORUM', 'SEATS', 'SIGNER', 'WHERE'], rows));
}
