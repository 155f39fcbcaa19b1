import type { ConfigSchema } from '@cairn/node-runtime/config';

const text = (description: string): ConfigSchema => ({ type: 'string', description, default: '' });

/** Section `[duty]`. */
export const DUTY_SCHEMA: ConfigSchema = {
  type: 'object',
  description:
    'Duties of possession: in every period that someone pays for, the node shows sectors that chance draws of files it keeps, and its stake answers for it. Off unless the contract is set. Taken on, paid for and ended with `cairn duty`.',
  properties: {
    contract: text('Address of the contract of duties.'),
    account: text(
      'File with the key of the provider whose duties are kept: raw hex or a Web3 keystore, readable by its owner only. It pays gas; no other program may send from it.',
    ),
    account_password: text('A file with the password, if that is a keystore.'),
    poll_ms: {
      type: 'integer',
      description: 'Time between looks at the chain: a fraction of the time that a window lasts.',
      default: 2000,
      minimum: 10,
      unit: 'ms',
    },
    max_fee_gwei: {
      type: 'integer',
      description: 'The most that is paid for a unit of gas; 0: no bound.',
      default: 0,
      minimum: 0,
      unit: 'gwei',
    },
  },
};
