import { resolve } from 'node:path';
import { blstBackend } from '@cairn/attestation/native';
import { EpochBook, SignerBook } from '@cairn/chain-access/da';
import { findHandover, type HandoverOffer } from '@cairn/light-client';
import { createNodeTransport } from '@cairn/node-runtime/transport';
import { type Address, utf8Bytes } from '@cairn/primitives';
import { CliError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { formatHandovers, MAX_HANDOVERS } from '../handover-file.ts';
import type { CommandContext } from '../io.ts';
import { writeLocalFile } from '../local-files.ts';
import { type OrderOptions, withOrder } from '../order-chain.ts';
import { writeLine } from '../output.ts';
import { parseCount } from '../parse-options.ts';

/** What `cairn chain handovers` takes. */
export interface ChainHandoversOptions extends OrderOptions {
  /** The last epoch that is handed over to; the newest that is sealed unless told. */
  readonly to?: number;
  readonly output?: string;
  readonly force?: boolean;
}

/** Writes what leads from an epoch that somebody trusts to a later one: each signed by the committee before. */
export async function chainHandovers(
  typed: string,
  options: ChainHandoversOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  const from = parseCount(1)(typed);
  return withOrder(options, context, async ({ ordering }) => {
    const { hub } = ordering;
    const signers = new SignerBook(hub);
    await signers.refresh({ signal });
    const sockets = new Map<Address, string>();
    for (const { signer, socket } of signers.all()) {
      if (socket !== undefined && /^https?:\/\//i.test(socket)) sockets.set(signer, socket);
    }
    const epochs = new EpochBook({ hub, signers, backend: blstBackend() });
    const transport = createNodeTransport();
    const handovers: HandoverOffer[] = [];
    try {
      const last = Math.min(options.to ?? Number.MAX_SAFE_INTEGER, from + MAX_HANDOVERS);
      for (let epoch = from + 1; epoch <= last; epoch += 1) {
        if ((await epochs.sealed(epoch, { signal })) === undefined) break;
        const found = await findHandover(epoch, sockets, transport, { signal });
        if (found === undefined) throw noHandover(epoch, sockets.size);
        handovers.push(found);
      }
    } finally {
      await transport.close();
    }
    const text = formatHandovers(handovers);
    const { output } = options;
    if (output === undefined || output === '-') {
      await writeLine(io, text.trimEnd());
    } else {
      const overwrite = options.force === true;
      await writeLocalFile(resolve(io.cwd, output), utf8Bytes(text), { overwrite, signal });
    }
    io.writeErr(
      `${handovers.length} handovers, from epoch ${from} to ${from + handovers.length}\n`,
    );
    return EXIT.ok;
  });
}

function noHandover(epoch: number, asked: number): CliError {
  return new CliError(
    { code: 'CLI_NO_HANDOVER', epoch, asked },
    `of ${asked} signers none has the handover to epoch ${epoch}`,
  );
}
