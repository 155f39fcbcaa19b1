import type { TransactionSender } from '@cairn/chain-access';
import type { KeyValueStore } from '@cairn/primitives';

/** A journal that several processes may share, of which one at a time pays. */
export interface ExclusiveJournal extends KeyValueStore {
  /** Runs `work` while no other process does the same. Calls of one process run side by side. */
  exclusive<Result>(work: () => Promise<Result>, signal: AbortSignal): Promise<Result>;
}

/** Whether processes can take turns with a journal. */
export function isExclusive(journal: KeyValueStore): journal is ExclusiveJournal {
  return 'exclusive' in journal;
}

/**
 * A sender that has its journal to itself while it sends, and forgets its nonces when it is done:
 * the next turn may be another process's.
 */
export function exclusiveSender(
  journal: ExclusiveJournal,
  open: () => TransactionSender,
): TransactionSender {
  const idle = open();
  let active: { readonly sender: TransactionSender; users: number } | undefined;
  const inTurn = async <Result>(
    use: (sender: TransactionSender) => Promise<Result>,
    signal: AbortSignal,
  ): Promise<Result> =>
    journal.exclusive(async () => {
      active ??= { sender: open(), users: 0 };
      const turn = active;
      turn.users += 1;
      try {
        return await use(turn.sender);
      } finally {
        turn.users -= 1;
        if (turn.users === 0 && active === turn) active = undefined;
      }
    }, signal);
  return {
    address: idle.address,
    send: (intent, options) => inTurn((sender) => sender.send(intent, options), options.signal),
    openIntents: (options) => inTurn((sender) => sender.openIntents(options), options.signal),
  };
}
