import type { Json } from '@cairn/primitives';
import type { Mining } from '../mining/create-mining.ts';
import type { JsonRpcMethods } from './answer-json-rpc.ts';

/**
 * The miner_* methods of 0G nodes, on the admin socket only. Each says whether it took effect: never
 * where the node is not configured to mine.
 */
export function zgMiningMethods(
  mining: Pick<Mining, 'start' | 'stop' | 'setStartPosition'> | undefined,
): JsonRpcMethods {
  const told = (
    act: (mining: Pick<Mining, 'start' | 'stop' | 'setStartPosition'>) => void,
  ): Json => {
    if (mining !== undefined) act(mining);
    return mining !== undefined;
  };
  return {
    miner_start: { parameters: 0, run: async () => told((inner) => inner.start()) },
    miner_stop: { parameters: 0, run: async () => told((inner) => inner.stop()) },
    miner_setStartPosition: {
      parameters: 1,
      run: async (parameters) => {
        const sector = parameters.natural(0);
        return told((inner) => inner.setStartPosition(sector));
      },
    },
  };
}
