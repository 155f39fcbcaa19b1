/**
 * Small records that survive a crash, by key.
 *
 * Keys are at most 512 characters of printable ASCII. `put` resolves once the record is durable;
 * `get` gives a whole record or none, never half of one.
 */
export interface Journal {
  get(key: string): Promise<Uint8Array | undefined>;
  put(key: string, record: Uint8Array): Promise<void>;
  delete(key: string): Promise<void>;
}
