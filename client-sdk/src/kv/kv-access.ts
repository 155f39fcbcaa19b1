import { ACCESS_OP, type AccessOp, BatchBuilder, type StreamId } from '@cairn/kv-layer';
import type { Address } from '@cairn/primitives';
import { encodeBase64 } from '@cairn/wire-protocol';
import { keyBytes } from './kv-bytes.ts';
import type { KvNodeClient } from './kv-node-client.ts';
import type { KvAccess, KvBytes, KvCall, KvCommit, KvReadOptions } from './kv-options.ts';

/** Who may write to a stream: asked of a node, changed by log entries of their own. */
export function accessOf(
  stream: StreamId,
  { node }: { readonly node: KvNodeClient },
  write: (batch: BatchBuilder, signal: AbortSignal) => Promise<KvCommit>,
): KvAccess {
  const never = new AbortController().signal;
  const grant = async (
    op: AccessOp,
    fields: { readonly account?: Address; readonly key?: KvBytes },
    { signal = never }: KvCall = {},
  ): Promise<KvCommit> => {
    const { account, key } = fields;
    const name = key === undefined ? undefined : keyBytes(key);
    const control = {
      op,
      stream,
      ...(account === undefined ? {} : { account }),
      ...(name === undefined ? {} : { key: name }),
    };
    return write(new BatchBuilder().control(control), signal);
  };
  const ask = (
    method: string,
    params: readonly string[],
    { version, signal = never }: KvReadOptions = {},
  ): Promise<boolean> => node.role(method, params, { version, signal });
  const nameOf = (key: KvBytes): string => encodeBase64(keyBytes(key));
  return {
    grantAdmin: (account, call) => grant(ACCESS_OP.grantAdmin, { account }, call),
    renounceAdmin: (call) => grant(ACCESS_OP.renounceAdmin, {}, call),
    grantWriter: (account, call) => grant(ACCESS_OP.grantWriter, { account }, call),
    revokeWriter: (account, call) => grant(ACCESS_OP.revokeWriter, { account }, call),
    renounceWriter: (call) => grant(ACCESS_OP.renounceWriter, {}, call),
    setKeyToSpecial: (key, call) => grant(ACCESS_OP.setKeyToSpecial, { key }, call),
    setKeyToNormal: (key, call) => grant(ACCESS_OP.setKeyToNormal, { key }, call),
    grantSpecialWriter: (key, account, call) =>
      grant(ACCESS_OP.grantSpecialWriter, { key, account }, call),
    revokeSpecialWriter: (key, account, call) =>
      grant(ACCESS_OP.revokeSpecialWriter, { key, account }, call),
    renounceSpecialWriter: (key, call) => grant(ACCESS_OP.renounceSpecialWriter, { key }, call),
    // Official nodes are asked by the name that official clients use for it.
    isAdmin: (account, options) => ask('kv_isAdmin', [account, stream], options),
    isWriter: (account, options) => ask('kv_isWriterOfStream', [account, stream], options),
    isSpecialKey: (key, options) => ask('kv_isSpecialKey', [stream, nameOf(key)], options),
    isSpecialWriter: (account, key, options) =>
      ask('kv_isWriterOfKey', [account, stream, nameOf(key)], options),
    mayWrite: (account, key, options) =>
      ask('kv_hasWritePermission', [account, stream, nameOf(key)], options),
  };
}
