import { type LocalSigner, recoverAddress } from '@cairn/chain-access';
import {
  type Address,
  bigEndianBytes,
  type ChainId,
  chainIdOf,
  concatBytes,
  Fault,
  fromHex,
  type Hex,
  isHexOf,
  isRecord,
  type Json,
  keccak256,
  parseAddress,
  toHex,
  utf8Bytes,
} from '@cairn/primitives';
import { parseStreamId, type StreamId } from '../stream-id.ts';

/** What a key-value node vouches for: the root of a stream's state after every entry up to one. */
export interface RootStatement {
  readonly chainId: ChainId;
  /** The log contract. */
  readonly flow: Address;
  /** `stateDomain` of the node, 32 bytes: nodes of one domain must have one root for one sequence. */
  readonly domain: Hex;
  readonly stream: StreamId;
  /** The last log entry that the state counts. */
  readonly sequence: number;
  /** Hash of the block that has this entry: nodes on two branches of the chain contradict nobody. */
  readonly block: Hex;
  /** The state root, 32 bytes; zeros: nothing was committed to the stream by then. */
  readonly root: Hex;
}

/** A statement with the account that vouches for it. */
export interface SignedRoot {
  readonly statement: RootStatement;
  readonly signer: Address;
  /** r ‖ s ‖ v, 65 bytes, over `rootStatementDigest`. */
  readonly signature: Hex;
}

declare const verified: unique symbol;

/** A statement that is signed by the account it names. Only `verifySignedRoot` makes one. */
export type VerifiedRoot = SignedRoot & { readonly [verified]: true };

/** What can be wrong with statements about roots. */
export type AttestFault =
  /** The text is no statement: the field that cannot be read. */
  | { readonly code: 'KV_STATEMENT_MALFORMED'; readonly field: string }
  /** The signature is not of the account that the statement names. */
  | { readonly code: 'KV_STATEMENT_SIGNER'; readonly signer: Address }
  /** Two statements that contradict each other in nothing. */
  | { readonly code: 'KV_STATEMENT_NO_CONTRADICTION'; readonly field: string }
  /** Statements of fewer accounts than were asked for agree. */
  | {
      readonly code: 'KV_STATEMENT_FEW';
      readonly agreeing: number;
      readonly needed: number;
    }
  /** What is vouched for is of another stream or version. */
  | { readonly code: 'KV_STATEMENT_OTHER'; readonly field: string };

/** A statement about a root that shows nothing, or something else. */
export class AttestError extends Fault<AttestFault> {}

/** The root of a stream that nothing was committed to. */
export const NO_ROOT: Hex = `0x${'00'.repeat(32)}`;

const TYPED_DATA_PREFIX = Uint8Array.of(0x19, 0x01);
const hashText = (text: string): Uint8Array => keccak256(utf8Bytes(text));
const DOMAIN_TYPE = hashText(
  'EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)',
);
const STATEMENT_TYPE = hashText(
  'StateRoot(bytes32 domain,bytes32 stream,uint64 sequence,bytes32 block,bytes32 root)',
);
const [NAME, VERSION] = [hashText('Cairn'), hashText('1')];

/**
 * The 32 bytes that a node signs: EIP-712 with the domain "Cairn", version "1", the chain and the log
 * contract, and the struct `StateRoot(bytes32 domain,bytes32 stream,uint64 sequence,bytes32 block,bytes32 root)`.
 */
export function rootStatementDigest(statement: RootStatement): Uint8Array {
  const { chainId, flow, domain, stream, sequence, block, root } = statement;
  const contract = concatBytes(new Uint8Array(12), fromHex(flow));
  const separator = keccak256(
    concatBytes(DOMAIN_TYPE, NAME, VERSION, bigEndianBytes(chainId, 32), contract),
  );
  const words = [domain, stream].map(fromHex);
  const message = keccak256(
    concatBytes(
      STATEMENT_TYPE,
      ...words,
      bigEndianBytes(sequence, 32),
      fromHex(block),
      fromHex(root),
    ),
  );
  return keccak256(concatBytes(TYPED_DATA_PREFIX, separator, message));
}

/** Vouches for a root. Sign only what was replayed without a hole. */
export function signRoot(
  statement: RootStatement,
  signer: Pick<LocalSigner, 'address' | 'signDigest'>,
): SignedRoot {
  const signature = toHex(signer.signDigest(rootStatementDigest(statement)));
  return { statement, signer: signer.address, signature };
}

/** Checks that the account which a statement names signed it. @throws {AttestError} KV_STATEMENT_SIGNER */
export function verifySignedRoot(signed: SignedRoot): VerifiedRoot {
  const { statement, signer, signature } = signed;
  const bytes = fromHex(signature);
  // Other values of v mean the same to some libraries: one signature is one text here.
  const isPlain = bytes[64] === 27 || bytes[64] === 28;
  const found = isPlain ? recoverAddress(rootStatementDigest(statement), bytes) : undefined;
  if (found === signer) return signed as VerifiedRoot;
  throw new AttestError(
    { code: 'KV_STATEMENT_SIGNER', signer },
    `the statement about stream ${statement.stream} at entry ${statement.sequence} is not signed by ${signer}`,
  );
}

/** A signed statement as JSON. */
export function signedRootJson({ statement, signer, signature }: SignedRoot): Json {
  return { ...statement, signer, signature };
}

/**
 * Reads a signed statement from JSON; who signed it is for `verifySignedRoot` to say.
 *
 * @throws {AttestError} KV_STATEMENT_MALFORMED
 */
export function parseSignedRoot(value: unknown): SignedRoot {
  const fields = isRecord(value) ? value : {};
  const refuse = (field: string): never => {
    throw new AttestError(
      { code: 'KV_STATEMENT_MALFORMED', field },
      `a statement about a root has no readable ${field}`,
    );
  };
  const hex = (field: string, bytes: number): Hex => {
    const text = fields[field];
    return isHexOf(text, bytes) ? (text.toLowerCase() as Hex) : refuse(field);
  };
  const whole = (field: string): number => {
    const number = fields[field];
    return Number.isSafeInteger(number) && Number(number) >= 0 ? Number(number) : refuse(field);
  };
  const chainId = whole('chainId');
  if (chainId < 1) refuse('chainId');
  return {
    statement: {
      chainId: chainIdOf(chainId),
      flow: parseAddress(hex('flow', 20)),
      domain: hex('domain', 32),
      stream: parseStreamId(hex('stream', 32)),
      sequence: whole('sequence'),
      block: hex('block', 32),
      root: hex('root', 32),
    },
    signer: parseAddress(hex('signer', 20)),
    signature: hex('signature', 65),
  };
}
