import { plainBytes } from './web-crypto.ts';

const BLOCK_BYTES = 16;

/** AES-256-CTR at any position of a stream. Encrypting and decrypting are the same operation. */
export interface CounterMode {
  /** `bytes`, which stand at byte `position` of the stream, under the key. */
  apply(bytes: Uint8Array, position: number): Promise<Uint8Array>;
}

/**
 * @param key - 32 bytes
 * @param nonce - 16 bytes: the first counter block, a big-endian number that wraps at 2^128
 */
export async function counterMode(key: Uint8Array, nonce: Uint8Array): Promise<CounterMode> {
  const aes = await crypto.subtle.importKey('raw', plainBytes(key), 'AES-CTR', false, ['encrypt']);
  let first = 0n;
  for (const byte of nonce) first = (first << 8n) | BigInt(byte);
  return {
    async apply(bytes, position) {
      const skip = position % BLOCK_BYTES;
      const counter = counterBlock(first + BigInt(Math.floor(position / BLOCK_BYTES)));
      let input = plainBytes(bytes);
      if (skip > 0) {
        // the stream is entered inside a block: its first bytes are made and thrown away
        input = new Uint8Array(skip + bytes.length);
        input.set(bytes, skip);
      }
      const output = await crypto.subtle.encrypt(
        { name: 'AES-CTR', counter, length: 128 },
        aes,
        input,
      );
      return new Uint8Array(output, skip);
    },
  };
}

function counterBlock(value: bigint): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(BLOCK_BYTES);
  let rest = value & (2n ** 128n - 1n);
  for (let index = BLOCK_BYTES - 1; index >= 0; index -= 1) {
    block[index] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return block;
}
