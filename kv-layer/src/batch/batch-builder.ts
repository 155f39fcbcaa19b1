import { type Address, BLIND_VERSION } from '@cairn/primitives';
import { keyText } from '../key-text.ts';
import { encodeExpiry, expiryKey } from '../reserved-keys.ts';
import type { StreamId } from '../stream-id.ts';
import { encodeTags } from '../tags.ts';
import { ACCESS_OP, type AccessOp } from './access-op.ts';
import { encodeBatch } from './encode-batch.ts';
import {
  type AccessControl,
  assertControl,
  assertCount,
  assertKey,
  type StreamBatch,
  type StreamKey,
  type StreamWrite,
} from './stream-batch.ts';

/** What `BatchBuilder.build` gives: the file to store and the tags to submit it with. */
export interface BuiltBatch {
  readonly bytes: Uint8Array;
  readonly tags: Uint8Array;
  readonly batch: StreamBatch;
}

/**
 * Puts a batch together. A key written twice keeps its first place and its last value, as in the
 * official clients; streams that are only read are not tagged.
 */
export class BatchBuilder {
  readonly #version: bigint;
  readonly #reads = new Map<string, StreamKey>();
  readonly #writes = new Map<string, StreamWrite>();
  readonly #controls: AccessControl[] = [];
  readonly #tagged = new Set<StreamId>();

  /** @param version - the snapshot that reads and writes are guarded by; a blind write unless told */
  constructor(version: bigint = BLIND_VERSION) {
    this.#version = version;
  }

  /** Whether there is nothing in it. */
  get isEmpty(): boolean {
    return this.#reads.size + this.#writes.size + this.#controls.length === 0;
  }

  /** Guards a key that was read: a newer version of it makes the whole batch a conflict. */
  read(stream: StreamId, key: Uint8Array): this {
    assertKey(key);
    assertCount('reads', this.#reads.size + 1);
    this.#reads.set(keyName(stream, key), { stream, key });
    return this;
  }

  /** Writes a value; one of no byte deletes. @throws {BatchError} KV_KEY_LENGTH, KV_BATCH_TOO_LONG */
  put(stream: StreamId, key: Uint8Array, value: Uint8Array): this {
    assertKey(key);
    const name = keyName(stream, key);
    if (!this.#writes.has(name)) assertCount('writes', this.#writes.size + 1);
    this.#writes.set(name, { stream, key, value });
    this.#tagged.add(stream);
    return this;
  }

  /** Deletes a key; older versions stay readable. */
  delete(stream: StreamId, key: Uint8Array): this {
    return this.put(stream, key, new Uint8Array(0));
  }

  /**
   * Writes a value that is not there any more once the chain's clock reaches a time. Nodes that know
   * nothing of expiry go on showing it. Writing the key again without a time takes the expiry off.
   *
   * @param timeSeconds - chain time, in seconds
   * @throws as `put`; {RangeError} unless the time is a natural number
   */
  putUntil(stream: StreamId, key: Uint8Array, value: Uint8Array, timeSeconds: number): this {
    return this.put(stream, key, value).put(stream, expiryKey(key), encodeExpiry(timeSeconds));
  }

  /** Tags a stream without writing to it: its first tagger becomes its admin. */
  tag(stream: StreamId): this {
    this.#tagged.add(stream);
    return this;
  }

  /** Any access control. @throws {BatchError} KV_CONTROL_SHAPE, KV_KEY_LENGTH, KV_BATCH_TOO_LONG */
  control(control: AccessControl): this {
    assertControl(control);
    assertCount('controls', this.#controls.length + 1);
    this.#controls.push(control);
    this.#tagged.add(control.stream);
    return this;
  }

  grantAdmin(stream: StreamId, account: Address): this {
    return this.#role(ACCESS_OP.grantAdmin, stream, { account });
  }

  renounceAdmin(stream: StreamId): this {
    return this.#role(ACCESS_OP.renounceAdmin, stream, {});
  }

  setKeyToSpecial(stream: StreamId, key: Uint8Array): this {
    return this.#role(ACCESS_OP.setKeyToSpecial, stream, { key });
  }

  setKeyToNormal(stream: StreamId, key: Uint8Array): this {
    return this.#role(ACCESS_OP.setKeyToNormal, stream, { key });
  }

  grantWriter(stream: StreamId, account: Address): this {
    return this.#role(ACCESS_OP.grantWriter, stream, { account });
  }

  revokeWriter(stream: StreamId, account: Address): this {
    return this.#role(ACCESS_OP.revokeWriter, stream, { account });
  }

  renounceWriter(stream: StreamId): this {
    return this.#role(ACCESS_OP.renounceWriter, stream, {});
  }

  grantSpecialWriter(stream: StreamId, key: Uint8Array, account: Address): this {
    return this.#role(ACCESS_OP.grantSpecialWriter, stream, { key, account });
  }

  revokeSpecialWriter(stream: StreamId, key: Uint8Array, account: Address): this {
    return this.#role(ACCESS_OP.revokeSpecialWriter, stream, { key, account });
  }

  renounceSpecialWriter(stream: StreamId, key: Uint8Array): this {
    return this.#role(ACCESS_OP.renounceSpecialWriter, stream, { key });
  }

  /** @throws {BatchError} KV_BATCH_VERSION */
  build(): BuiltBatch {
    const batch: StreamBatch = {
      version: this.#version,
      reads: [...this.#reads.values()],
      writes: [...this.#writes.values()],
      controls: [...this.#controls],
    };
    return { bytes: encodeBatch(batch), tags: encodeTags([...this.#tagged]), batch };
  }

  #role(
    op: AccessOp,
    stream: StreamId,
    fields: { readonly key?: Uint8Array; readonly account?: Address },
  ): this {
    return this.control({ op, stream, ...fields });
  }
}

function keyName(stream: StreamId, key: Uint8Array): string {
  return stream + keyText(key);
}
