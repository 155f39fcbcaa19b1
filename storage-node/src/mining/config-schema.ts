import type { ConfigSchema } from '@cairn/node-runtime/config';

const text = (description: string): ConfigSchema => ({ type: 'string', description, default: '' });

const whole = (
  description: string,
  fallback: number,
  bounds: { readonly unit?: string; readonly minimum?: number; readonly maximum?: number } = {},
): ConfigSchema => ({ type: 'integer', description, default: fallback, minimum: 0, ...bounds });

const PERCENT = { unit: '%', minimum: 1, maximum: 100 };

/** Section `[mining]`. */
export const MINING_SCHEMA: ConfigSchema = {
  type: 'object',
  description:
    'Mining: proofs that what the shard holds is read, paid by the mining contract. Off unless the contract is set. It keeps a sealed copy of everything beside the plain one, so the disk holds twice as much.',
  properties: {
    contract: text('Address of the mining contract.'),
    account: text(
      'File with the key that pays for answers and is paid for them: raw hex or a Web3 keystore, readable by its owner only.',
    ),
    account_password: text('A file with the password, if that is a keystore.'),
    miner_id: text(
      'The miner id, 0x and 64 digits; empty: the one that the data is sealed for, or a new one. Sealed data is good for one id only.',
    ),
    threads: whole('Threads that mine.', 1, { minimum: 1, maximum: 256 }),
    cpu_percent: whole('Share of its time that each of them works.', 25, PERCENT),
    seal_percent: whole(
      'Share of the time that one thread seals, while there is data to seal.',
      25,
      PERCENT,
    ),
    start_position: whole(
      'Sector where mining begins, where the flow is longer than 8 TiB for each shard.',
      0,
    ),
    poll_ms: whole('Time between questions for what is to be mined.', 5000, {
      unit: 'ms',
      minimum: 10,
    }),
    max_fee_gwei: whole('The most an answer may pay for a unit of gas; 0: no bound.', 0, {
      unit: 'gwei',
    }),
    autostart: {
      type: 'boolean',
      description: 'Whether mining begins with the node; otherwise it seals and waits to be told.',
      default: true,
    },
  },
};
