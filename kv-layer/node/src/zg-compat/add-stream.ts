import { recoverAddress } from '@cairn/chain-access';
import type { StreamId } from '@cairn/kv-layer';
import {
  type Address,
  bigEndianBytes,
  type ChainId,
  concatBytes,
  fromHex,
  isHexOf,
  keccak256,
  utf8Bytes,
} from '@cairn/primitives';
import {
  internalRpcError,
  invalidParam,
  type JsonRpcHandlers,
  methodNotFound,
} from '@cairn/wire-protocol';
import { KvParameters } from './kv-parameters.ts';

/** What adding streams works with. */
export interface AddStreamDeps {
  readonly chainId: ChainId;
  readonly isOpen: boolean;
  /** Who may; nobody named: anyone. */
  readonly accounts: readonly Address[];
  /** @throws {KvNodeError} KV_STREAM_REFUSED beyond the limit */
  readonly add: (stream: StreamId) => Promise<void>;
}

const hashText = (text: string): Uint8Array => keccak256(utf8Bytes(text));

const DOMAIN_TYPE = hashText('EIP712Domain(string name,string version,uint256 chainId)');
const STREAM_TYPE = hashText('RegisterStream(string purpose,address wallet,bytes32 streamId)');
const NAME = hashText('0G Storage Scan');
const DOMAIN_VERSION = hashText('1');
const PURPOSE = hashText('register-stream');

/** The EIP-712 digest that an account signs to have a stream watched. */
export function addStreamDigest(chainId: number, wallet: Address, stream: StreamId): Uint8Array {
  const domain = keccak256(
    concatBytes(DOMAIN_TYPE, NAME, DOMAIN_VERSION, bigEndianBytes(chainId, 32)),
  );
  const message = keccak256(
    concatBytes(STREAM_TYPE, PURPOSE, new Uint8Array(12), fromHex(wallet), fromHex(stream)),
  );
  return keccak256(concatBytes(Uint8Array.of(0x19, 0x01), domain, message));
}

/**
 * `admin_addStream`: has a stream watched, by a signature of an account that may. It is replayed
 * from its first entry before it is answered; the official node begins in the middle.
 *
 * The signature proves who asks and nothing else: it has no nonce and no expiry, so what it can do
 * is bounded by the list of accounts and the number of streams.
 */
export function addStreamMethod({
  chainId,
  isOpen,
  accounts,
  add,
}: AddStreamDeps): JsonRpcHandlers {
  return {
    admin_addStream: async (request) => {
      if (!isOpen) throw methodNotFound();
      const parameters = new KvParameters(request, ['stream_id', 'wallet', 'signature']);
      const [stream, wallet] = [parameters.stream(), parameters.account('wallet')];
      const signature = parameters.signature();
      const signer = isHexOf(signature, 65)
        ? recoverAddress(addStreamDigest(chainId, wallet, stream), fromHex(signature))
        : undefined;
      if (signer !== wallet) throw invalidParam('signature', 'the wallet did not sign this');
      if (accounts.length > 0 && !accounts.includes(wallet)) {
        throw invalidParam('wallet', 'this account may not add streams here');
      }
      try {
        await add(stream);
      } catch (error) {
        throw internalRpcError(error instanceof Error ? error.message : 'the stream was not added');
      }
      return true;
    },
  };
}
