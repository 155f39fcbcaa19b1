import type { KvAccess, KvCall, KvCommit } from '@cairn/client-sdk';
import { type Address, parseAddress } from '@cairn/primitives';
import { type StreamOptions, writeStreams } from '../connect-streams.ts';
import { usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { tell } from './kv-put.ts';

/** What `cairn kv acl` takes. */
export interface KvAclOptions extends StreamOptions {
  readonly key?: string;
}

/** What a verb needs besides the stream, and what it does with that. */
type Verb =
  | { readonly needs: ''; readonly act: (of: KvAccess, call: KvCall) => Promise<KvCommit> }
  | {
      readonly needs: 'account';
      readonly act: (of: KvAccess, account: Address, call: KvCall) => Promise<KvCommit>;
    }
  | {
      readonly needs: 'key';
      readonly act: (of: KvAccess, key: string, call: KvCall) => Promise<KvCommit>;
    }
  | {
      readonly needs: 'key and account';
      readonly act: (
        of: KvAccess,
        key: string,
        account: Address,
        call: KvCall,
      ) => Promise<KvCommit>;
    };

const VERBS: Readonly<Record<string, Verb>> = {
  'grant-admin': { needs: 'account', act: (of, account, call) => of.grantAdmin(account, call) },
  'renounce-admin': { needs: '', act: (of, call) => of.renounceAdmin(call) },
  'grant-writer': { needs: 'account', act: (of, account, call) => of.grantWriter(account, call) },
  'revoke-writer': { needs: 'account', act: (of, account, call) => of.revokeWriter(account, call) },
  'renounce-writer': { needs: '', act: (of, call) => of.renounceWriter(call) },
  'special-key': { needs: 'key', act: (of, key, call) => of.setKeyToSpecial(key, call) },
  'normal-key': { needs: 'key', act: (of, key, call) => of.setKeyToNormal(key, call) },
  'grant-key-writer': {
    needs: 'key and account',
    act: (of, key, account, call) => of.grantSpecialWriter(key, account, call),
  },
  'revoke-key-writer': {
    needs: 'key and account',
    act: (of, key, account, call) => of.revokeSpecialWriter(key, account, call),
  },
  'renounce-key-writer': {
    needs: 'key',
    act: (of, key, call) => of.renounceSpecialWriter(key, call),
  },
};

/** Says who may write to a stream. @throws {CliError} CLI_USAGE */
export async function kvAcl(
  stream: string,
  name: string,
  account: string | undefined,
  options: KvAclOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  const verb = VERBS[name];
  if (verb === undefined) {
    throw usageError('verb', `"${name}" is none of ${Object.keys(VERBS).join(', ')}`);
  }
  const { key } = options;
  const given = [key === undefined ? [] : ['key'], account === undefined ? [] : ['account']];
  if (given.flat().join(' and ') !== verb.needs) {
    const needs = verb.needs === '' ? 'neither key nor account' : verb.needs;
    throw usageError('verb', `${name} takes ${needs} (the key as --key)`);
  }
  const commit = await writeStreams('change who may write', options, context, (client) => {
    const { access } = client.kv.stream(stream);
    switch (verb.needs) {
      case '':
        return verb.act(access, { signal });
      case 'account':
        return verb.act(access, parseAddress(account ?? ''), { signal });
      case 'key':
        return verb.act(access, key ?? '', { signal });
      case 'key and account':
        return verb.act(access, key ?? '', parseAddress(account ?? ''), { signal });
    }
  });
  await tell(commit, options, io);
  return EXIT.ok;
}
