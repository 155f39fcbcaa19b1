import {
  type Address,
  type ChainId,
  type Json,
  MAX_JSON_DEPTH,
  parseAddress,
  stringifyJson,
} from '@cairn/primitives';
import {
  addressField,
  assertBound,
  chainIdField,
  fieldsOf,
  hexOf,
  listField,
  naturalField,
  refuseField,
  textField,
  urlOf,
} from './check.ts';
import { WireError } from './errors.ts';
import { parseBoundedJson } from './json-text.ts';
import { parseShardConfig, type ShardConfig } from './shard.ts';

/** Most characters of an endpoints file. */
const MAX_ENDPOINTS_CHARACTERS: number = 1024 * 1024;
/** Most services of one kind in an endpoints file. */
const MAX_SERVICES = 1000;
const MAX_NAME = 100;
const WHAT = 'endpoints';

/** A consensus shard and where its contracts are. */
export interface ChainEndpoint {
  readonly name: string;
  readonly rpc: string;
  readonly chainId: ChainId;
  /** Addresses by contract name in camelCase; `flow` is the log contract. */
  readonly contracts: Readonly<Record<string, Address>>;
  /** Number under which the hub orders what this chain's log holds; `undefined` where it orders none. */
  readonly logShard?: number;
}

/** A storage node. */
export interface StorageEndpoint {
  readonly rpc: string;
  readonly shard: ShardConfig;
  /** Name of its chain. */
  readonly chain: string;
}

/** A data-availability service. */
export interface DaEndpoint {
  readonly rest?: string;
  readonly nitro?: string;
  readonly grpc?: string;
  readonly signers: readonly string[];
  /** A page on which a browser samples blobs. */
  readonly page?: string;
  readonly chain: string;
}

/** A disperser of another consensus shard than that of `da`. */
export interface DisperserEndpoint {
  readonly rest: string;
  /** Name of the shard's chain. */
  readonly chain: string;
}

/** What runs where on a network: the content of `endpoints.json`. Grows, never changes meaning. */
export interface Endpoints {
  readonly version: 1;
  readonly chains: readonly ChainEndpoint[];
  readonly indexer?: string;
  readonly storage: readonly StorageEndpoint[];
  readonly kv: readonly string[];
  /** Accounts of key-value nodes that vouch for state roots. */
  readonly kvKeys?: readonly Address[];
  readonly da?: DaEndpoint;
  /** Dispersers of chains beside that of `da`, with the same signers. */
  readonly dispersers?: readonly DisperserEndpoint[];
  /** Files with funded development keys, relative to the endpoints file. */
  readonly keys: readonly string[];
}

/**
 * The endpoints of JSON text. Fields this build does not know are left out, missing lists are empty.
 *
 * @throws {WireError} WIRE_JSON, WIRE_VERSION, WIRE_FIELD, WIRE_TOO_LONG, WIRE_NOT_AN_OBJECT,
 *   SHARD_INVALID
 */
export function parseEndpointsText(text: string): Endpoints {
  assertBound(text.length, MAX_ENDPOINTS_CHARACTERS, WHAT);
  return parseEndpoints(parseBoundedJson(text, MAX_JSON_DEPTH, WHAT));
}

/** As `parseEndpointsText`, of a value that was parsed already. */
export function parseEndpoints(value: unknown): Endpoints {
  const fields = fieldsOf(value, WHAT);
  const version = naturalField(fields, 'version', WHAT);
  if (version !== 1) {
    throw new WireError(
      { code: 'WIRE_VERSION', what: WHAT, version, supported: 1 },
      `endpoints version ${version} is not supported, 1 is`,
    );
  }
  const { indexer, da, dispersers, kvKeys } = fields;
  return {
    version,
    chains: listOf(fields, 'chains', parseChain),
    ...(indexer === undefined ? {} : { indexer: urlOf(indexer, WHAT, 'indexer') }),
    storage: listOf(fields, 'storage', parseStorage),
    kv: listOf(fields, 'kv', (url) => urlOf(url, WHAT, 'kv')),
    ...(kvKeys === undefined
      ? {}
      : { kvKeys: listOf(fields, 'kvKeys', (key) => addressField({ key }, 'key', WHAT)) }),
    ...(da === undefined ? {} : { da: parseDa(da) }),
    ...(dispersers === undefined
      ? {}
      : { dispersers: listOf(fields, 'dispersers', parseDisperser) }),
    keys: listOf(fields, 'keys', (key) => textField({ key }, 'key', WHAT, 4096)),
  };
}

/** Indented JSON text that `parseEndpointsText` reads. */
export function formatEndpoints(endpoints: Endpoints): string {
  const { version, chains, indexer, storage, kv, kvKeys, da, dispersers, keys } = endpoints;
  const json: Json = {
    version,
    chains: chains.map((chain) => ({ ...chain, contracts: { ...chain.contracts } })),
    indexer,
    storage: storage.map((node) => ({ ...node, shard: { ...node.shard } })),
    kv,
    kvKeys,
    da: da === undefined ? undefined : { ...da },
    dispersers: dispersers?.map((disperser) => ({ ...disperser })),
    keys,
  };
  return `${JSON.stringify(JSON.parse(stringifyJson(json)), undefined, 2)}\n`;
}

function parseChain(value: unknown): ChainEndpoint {
  const what = 'endpoints.chains';
  const fields = fieldsOf(value, what);
  const named = Object.entries(fieldsOf(fields['contracts'] ?? {}, `${what}.contracts`));
  assertBound(named.length, MAX_SERVICES, `${what}.contracts`);
  return {
    name: textField(fields, 'name', what, MAX_NAME),
    rpc: urlOf(fields['rpc'], what, 'rpc'),
    chainId: chainIdField(fields, 'chainId', what),
    contracts: Object.fromEntries(
      named.map(([name, address]) => [
        checkedContractName(name),
        parseAddress(hexOf(address, 20, `${what}.contracts`, name.slice(0, MAX_NAME))),
      ]),
    ),
    ...(fields['logShard'] === undefined
      ? {}
      : { logShard: naturalField(fields, 'logShard', what) }),
  };
}

function checkedContractName(name: string): string {
  if (!/^[a-zA-Z][a-zA-Z0-9]{0,63}$/.test(name)) {
    refuseField('endpoints.chains', 'contracts', 'names in camelCase', name);
  }
  return name;
}

function parseStorage(value: unknown): StorageEndpoint {
  const what = 'endpoints.storage';
  const fields = fieldsOf(value, what);
  const shard = fieldsOf(fields['shard'], `${what}.shard`);
  return {
    rpc: urlOf(fields['rpc'], what, 'rpc'),
    shard: parseShardConfig(naturalField(shard, 'id', what), naturalField(shard, 'count', what)),
    chain: textField(fields, 'chain', what, MAX_NAME),
  };
}

function parseDa(value: unknown): DaEndpoint {
  const what = 'endpoints.da';
  const fields = fieldsOf(value, what);
  const { rest, nitro, grpc, page } = fields;
  return {
    ...(rest === undefined ? {} : { rest: urlOf(rest, what, 'rest') }),
    ...(nitro === undefined ? {} : { nitro: urlOf(nitro, what, 'nitro') }),
    ...(grpc === undefined ? {} : { grpc: textField(fields, 'grpc', what, 2048) }),
    signers: listOf(fields, 'signers', (url) => urlOf(url, what, 'signers')),
    ...(page === undefined ? {} : { page: urlOf(page, what, 'page') }),
    chain: textField(fields, 'chain', what, MAX_NAME),
  };
}

function parseDisperser(value: unknown): DisperserEndpoint {
  const what = 'endpoints.dispersers';
  const fields = fieldsOf(value, what);
  return {
    rest: urlOf(fields['rest'], what, 'rest'),
    chain: textField(fields, 'chain', what, MAX_NAME),
  };
}

function listOf<Item>(
  fields: Readonly<Record<string, unknown>>,
  field: string,
  parse: (item: unknown) => Item,
): Item[] {
  return fields[field] === undefined ? [] : listField(fields, field, WHAT, MAX_SERVICES, parse);
}
