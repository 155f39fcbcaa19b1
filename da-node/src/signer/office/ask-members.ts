import type { Committee, Member } from '@cairn/attestation';
import {
  type Address,
  type Clock,
  describeError,
  forEachConcurrent,
  type Logger,
  withDeadline,
} from '@cairn/primitives';
import type { SocketBook } from './ports.ts';

/** What asking the members of a quorum needs. */
export interface AskMembersDeps {
  readonly sockets: SocketBook;
  /** Who asks: it does not ask itself. */
  readonly address: Address;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Members asked at once, and the time that each has. */
const PARALLEL = 8;
const TIMEOUT_MS = 5_000;

/**
 * Asks every other member of a quorum, or every member where no signer asks, several at once, until all have answered or enough is known.
 *
 * @param ask - one question to one member, at its address; what it throws is that member's fault
 * @param isEnough - looked at before each question
 * @throws the signal's reason
 */
export async function askMembers(
  { members }: Pick<Committee, 'members'>,
  {
    what,
    ask,
    isEnough,
  }: {
    readonly what: string;
    readonly ask: (member: Member, socket: string, signal: AbortSignal) => Promise<void>;
    readonly isEnough: () => boolean;
  },
  {
    sockets,
    address,
    clock,
    logger,
  }: Omit<AskMembersDeps, 'address'> & Partial<Pick<AskMembersDeps, 'address'>>,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  const visit = async (member: Member, inner: AbortSignal): Promise<void> => {
    if (member.signer === address || isEnough()) return;
    try {
      const work = async (within: AbortSignal): Promise<void> => {
        const socket = await sockets.socketOf(member.signer, { signal: within });
        if (socket !== undefined) await ask(member, socket, within);
      };
      await withDeadline(what, TIMEOUT_MS, work, { clock, signal: inner });
    } catch (error) {
      inner.throwIfAborted();
      const { signer } = member;
      logger.debug({ what, signer, reason: describeError(error) }, 'a member did not answer');
    }
  };
  await forEachConcurrent(members, visit, { parallel: PARALLEL, signal });
}
