import {
  type Address,
  type ChainId,
  type Hex,
  isRecord,
  type Json,
  type Root,
  type Sequence,
} from '@cairn/primitives';
import {
  addressField,
  chainIdField,
  type Fields,
  fieldsOf,
  hexOf,
  naturalField,
  refuseField,
  rootField,
  sequenceField,
  textField,
} from './check.ts';

/** An answer of a miner that the mining contract accepted. */
export interface AcceptedAnswer {
  readonly block: number;
  readonly transactionHash: Hex;
  readonly minerId: Hex;
  /** Who is paid for that miner's answers now; absent where nobody is. */
  readonly beneficiary?: Address;
  /** First of the 16 sectors of the flow that it showed. */
  readonly sector: number;
}

/** Reply of `GET /v1/entries/{root}/economics`: what a node's chain says of a file's fees. Amounts in wei. */
export interface EntryEconomics {
  readonly chainId: ChainId;
  readonly root: Root;
  readonly sequence: Sequence;
  /** Sectors charged: the padded length. */
  readonly chargedSectors: number;
  /** What was paid for storing it; absent where nobody tells that. */
  readonly paidWei?: bigint;
  /** A sector's price now. */
  readonly pricePerSectorWei: bigint;
  readonly termSeconds: number;
  /** Unix second until which it is paid for; absent while its time has not begun. */
  readonly paidUntil?: number;
  /** What one term more costs now. */
  readonly renewalWei: bigint;
  readonly lastProven: {
    /** The last answer that showed sectors of the file itself. */
    readonly file?: AcceptedAnswer;
    /** The last one of the pricing chunks that it lies in. */
    readonly chunk?: AcceptedAnswer;
    /** First block that was looked at. */
    readonly fromBlock: number;
  };
  /** Nodes whose shards should keep its segments, as far as this node knows: what they say, not a proof. */
  readonly replicas: {
    /** Of all segments, how many nodes keep the one that fewest do. */
    readonly least: number;
    readonly most: number;
    /** Nodes known, this one included. */
    readonly nodes: number;
  };
}

/** Economics as JSON: amounts as decimal texts. */
export function entryEconomicsJson(economics: EntryEconomics): Json {
  const { paidWei, pricePerSectorWei, renewalWei, lastProven, replicas, ...rest } = economics;
  const { file, chunk, fromBlock } = lastProven;
  return {
    ...rest,
    ...(paidWei === undefined ? {} : { paidWei: String(paidWei) }),
    pricePerSectorWei: String(pricePerSectorWei),
    renewalWei: String(renewalWei),
    lastProven: {
      ...(file === undefined ? {} : { file: { ...file } }),
      ...(chunk === undefined ? {} : { chunk: { ...chunk } }),
      fromBlock,
    },
    replicas: { ...replicas },
  };
}

/** @throws {WireError} WIRE_NOT_AN_OBJECT, WIRE_FIELD, WIRE_TOO_LONG */
export function parseEntryEconomics(value: unknown): EntryEconomics {
  const what = 'entry economics';
  const fields = fieldsOf(value, what);
  const proven = fieldsOf(fields['lastProven'], `${what}.lastProven`);
  const replicas = fieldsOf(fields['replicas'], `${what}.replicas`);
  return {
    chainId: chainIdField(fields, 'chainId', what),
    root: rootField(fields, 'root', what),
    sequence: sequenceField(fields, 'sequence', what),
    chargedSectors: naturalField(fields, 'chargedSectors', what, { min: 1 }),
    ...(fields['paidWei'] === undefined ? {} : { paidWei: weiField(fields, 'paidWei') }),
    pricePerSectorWei: weiField(fields, 'pricePerSectorWei'),
    termSeconds: naturalField(fields, 'termSeconds', what),
    ...(fields['paidUntil'] === undefined
      ? {}
      : { paidUntil: naturalField(fields, 'paidUntil', what) }),
    renewalWei: weiField(fields, 'renewalWei'),
    lastProven: {
      ...(isRecord(proven['file']) ? { file: parseAnswer(proven['file']) } : {}),
      ...(isRecord(proven['chunk']) ? { chunk: parseAnswer(proven['chunk']) } : {}),
      fromBlock: naturalField(proven, 'fromBlock', `${what}.lastProven`),
    },
    replicas: {
      least: naturalField(replicas, 'least', `${what}.replicas`),
      most: naturalField(replicas, 'most', `${what}.replicas`),
      nodes: naturalField(replicas, 'nodes', `${what}.replicas`),
    },
  };
}

function parseAnswer(value: unknown): AcceptedAnswer {
  const what = 'entry economics.lastProven';
  const fields = fieldsOf(value, what);
  return {
    block: naturalField(fields, 'block', what),
    transactionHash: hexOf(fields['transactionHash'], 32, what, 'transactionHash'),
    minerId: hexOf(fields['minerId'], 32, what, 'minerId'),
    ...(fields['beneficiary'] === undefined
      ? {}
      : { beneficiary: addressField(fields, 'beneficiary', what) }),
    sector: naturalField(fields, 'sector', what),
  };
}

/** Digits of 2^256 - 1. */
const MAX_WEI_DIGITS = 78;

function weiField(fields: Fields, field: string): bigint {
  const what = 'entry economics';
  const text = textField(fields, field, what, MAX_WEI_DIGITS);
  if (!/^\d+$/.test(text)) refuseField(what, field, 'a decimal amount', text);
  return BigInt(text);
}
