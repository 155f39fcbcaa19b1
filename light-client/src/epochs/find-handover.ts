import { type Address, Fault, type HttpTransport } from '@cairn/primitives';
import {
  handoverPath,
  MAX_SIGNED_HANDOVER_BYTES,
  parseSignedHandover,
} from '@cairn/wire-protocol/da';
import type { HandoverOffer } from './follow-handover.ts';

/** Signers that are asked for one handover, one after the other. */
const MAX_ASKED = 8;
const TIMEOUT_MS = 5_000;

/**
 * The signed handover that names an epoch, from the first of some signers that has it. Nothing is
 * proven: `followHandover` does that.
 *
 * @param sockets - where signers are reached: http or https addresses by account
 * @returns `undefined` where none of the first eight gives one
 * @throws the signal's reason
 */
export async function findHandover(
  epoch: number,
  sockets: ReadonlyMap<Address, string>,
  transport: Pick<HttpTransport, 'send'>,
  { signal }: { readonly signal: AbortSignal },
): Promise<HandoverOffer | undefined> {
  for (const socket of [...sockets.values()].slice(0, MAX_ASKED)) {
    try {
      const url = `${socket.replace(/\/+$/, '')}${handoverPath(epoch)}`;
      const reply = await transport.send({ method: 'GET', url, signal, timeoutMs: TIMEOUT_MS });
      if (reply.status === 200) {
        return parseSignedHandover(await reply.bytes(MAX_SIGNED_HANDOVER_BYTES));
      }
      await reply.discard();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Fault)) throw error; // else this signer is away, or sends something else
    }
  }
  return undefined;
}
