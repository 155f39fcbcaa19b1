import {
  type ChainId,
  keccak256,
  parseAddress,
  type Root,
  rootOf,
  sequenceOf,
} from '@cairn/primitives';
import type { ArchivedFile, LogArchive } from '../../src/disperser/ports.ts';
import { ENTRANCE } from './committee.ts';

const FLOW = parseAddress(`0x${'f1'.repeat(20)}`);

/** A log in memory: what is stored again is the same file, and is paid for once. */
export class MemoryLog implements LogArchive {
  readonly chainId: ChainId = ENTRANCE.chainId;
  readonly files = new Map<Root, Uint8Array>();
  /** Whether storage nodes answer. */
  isUp = true;
  /** Calls, those that failed too. */
  stores = 0;
  /** Told after a file is stored, before its caller hears of it. */
  onStored: () => void = () => undefined;

  async store(
    payload: Uint8Array,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<ArchivedFile> {
    signal.throwIfAborted();
    this.stores += 1;
    if (!this.isUp) throw new Error('no storage node answers');
    const root = rootOf(keccak256(payload));
    this.files.set(root, Uint8Array.from(payload));
    this.onStored();
    const sequence = sequenceOf([...this.files.keys()].indexOf(root));
    return { chainId: this.chainId, flow: FLOW, root, sequence };
  }

  async read({ root }: ArchivedFile): Promise<Uint8Array> {
    const bytes = this.isUp ? this.files.get(root) : undefined;
    if (bytes === undefined) throw new Error('no storage node gives the file');
    return bytes;
  }
}
