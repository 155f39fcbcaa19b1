import type { HttpReplyOut, HttpRequestIn, RouteGroup } from '@cairn/node-runtime/http';
import {
  describeError,
  type Json,
  type Logger,
  parseRoot,
  type Root,
  sequenceOf,
} from '@cairn/primitives';
import { parseZgStatus, ZGS, type ZgFileInfo, type ZgStatus } from '@cairn/wire-protocol';
import { directoryJson } from '../doors/files/directory-index.ts';
import { directoryLines } from '../doors/files/directory-tree.ts';
import { sendFile } from '../doors/files/file-routes.ts';
import { type FileShelf, isAbsent } from '../doors/files/file-shelf.ts';
import { type FileLocator, mergeFileInfos, type NodeFileInfo } from './locate-file.ts';
import type { NodeDirectory } from './node-directory.ts';
import { type GatewaySegment, parseGatewaySegment, uploadSegment } from './upload-segment.ts';

/** Codes of the 0G gateway's envelope. */
const SUCCESS = 0;
const INVALID_PARAMETER = 1;
const INTERNAL_ERROR = 2;
const FILE_NOT_FOUND = 101;
const FILE_PRUNED = 102;
const FILE_NOT_FINALIZED = 103;
const PATH_NOT_FOUND = 104;

/** A segment in base64 with its proof. */
const MAX_SEGMENT_BODY_BYTES = 512 * 1024;
/** Files one `/files/info` call may ask for. */
const MAX_INFOS = 100;

/** What the gateway needs. */
export interface GatewayDeps {
  readonly directory: NodeDirectory;
  readonly locator: FileLocator;
  readonly shelf: FileShelf;
  readonly logger: Logger;
}

/** Says that an answer is on its way as bytes. Not the reply itself: awaiting that waits for its end. */
const SENT = Symbol('sent');

/** An outcome that the gateway's clients expect inside the envelope, with HTTP 200. */
class GatewayOutcome extends Error {
  readonly code: number;
  readonly data: Json;

  constructor(code: number, message: string, data: Json = null) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

/**
 * The REST gateway of 0G indexers: `/file`, `/file/{id}/{path}`, `/file/info/{id}`, `/files/info`,
 * `/file/segment` and `/node/status`, in the envelope `{code, message, data}`.
 *
 * Expected outcomes have HTTP 200, as there; unexpected ones 500, where the official gateway sends
 * the unregistered 600. Files are streamed and proven on the way, not collected first, and may be
 * of any size. For new programs `/v1/files/{root}` is the better door.
 */
export function gatewayRoutes(deps: GatewayDeps): RouteGroup {
  return (app) => {
    const schema = { hide: true };
    const enveloped =
      (answer: (request: HttpRequestIn, reply: HttpReplyOut) => Promise<Json | typeof SENT>) =>
      async (request: HttpRequestIn, reply: HttpReplyOut): Promise<HttpReplyOut> => {
        try {
          const data = await answer(request, reply);
          if (data !== SENT) envelope(reply, SUCCESS, 'Success', data);
        } catch (error) {
          sendFailure(error, reply, deps.logger);
        }
        return reply;
      };
    app.get(
      '/file',
      { schema },
      enveloped((request, reply) => sendWhole(deps, request, reply)),
    );
    app.get(
      '/file/info/:cid',
      { schema },
      enveloped((request) => describe(deps, textOf(request.params, 'cid') ?? '', request.signal)),
    );
    app.get(
      '/file/:cid/*',
      { schema },
      enveloped((request, reply) => sendInside(deps, request, reply)),
    );
    app.get(
      '/files/info',
      { schema },
      enveloped((request) => describeMany(deps, request)),
    );
    app.post(
      '/file/segment',
      { schema, bodyLimit: MAX_SEGMENT_BODY_BYTES },
      enveloped((request) => takeSegment(deps, request)),
    );
    app.get(
      '/node/status',
      { schema },
      enveloped((request) => mergedStatus(deps, request.signal)),
    );
  };
}

async function sendWhole(
  deps: GatewayDeps,
  request: HttpRequestIn,
  reply: HttpReplyOut,
): Promise<typeof SENT> {
  const root = textOf(request.query, 'root');
  const sequence = textOf(request.query, 'txSeq');
  if (root === undefined && sequence === undefined) throw invalid('either root or txSeq is needed');
  const id = root === undefined ? fileId(sequence ?? '') : rootId(root);
  const info = await readableInfo(deps, id, request.signal);
  const name = textOf(request.query, 'name') ?? info.tx.dataMerkleRoot;
  const file = await open(deps, info.tx.dataMerkleRoot, request.signal);
  // The 0G gateway hands every file over as an attachment.
  sendFile(file, name, request, reply, { isDownload: true, mayChange: root === undefined });
  return SENT;
}

async function sendInside(
  deps: GatewayDeps,
  request: HttpRequestIn,
  reply: HttpReplyOut,
): Promise<Json | typeof SENT> {
  const { signal } = request;
  const id = fileId(textOf(request.params, 'cid') ?? '');
  const info = await readableInfo(deps, id, signal);
  const path = textOf(request.params, '*') ?? '';
  try {
    const found = await deps.shelf.resolve(info.tx.dataMerkleRoot, path, { signal });
    if (found.kind === 'directory') return directoryJson(directoryLines(found));
    const file = await deps.shelf.openFragments(found.roots, { signal });
    sendFile(file, found.name, request, reply, {
      isDownload: true,
      mayChange: typeof id === 'number',
    });
    return SENT;
  } catch (error) {
    if (isAbsent(error)) throw new GatewayOutcome(PATH_NOT_FOUND, 'File path not found');
    throw error;
  }
}

async function open(
  deps: GatewayDeps,
  root: Root,
  signal: AbortSignal,
): ReturnType<FileShelf['openRoot']> {
  try {
    return await deps.shelf.openRoot(root, { signal });
  } catch (error) {
    if (isAbsent(error)) throw new GatewayOutcome(FILE_NOT_FINALIZED, 'File not finalized yet');
    throw error;
  }
}

async function describe(deps: GatewayDeps, cid: string, signal: AbortSignal): Promise<Json> {
  const info = mergeFileInfos(await deps.locator.infos(fileId(cid), signal));
  if (info === undefined) throw notFound();
  return infoJson(info);
}

async function describeMany(deps: GatewayDeps, request: HttpRequestIn): Promise<Json> {
  const { cid } = request.query as { readonly cid?: unknown };
  const cids = (Array.isArray(cid) ? cid : [cid]).filter((one) => typeof one === 'string');
  if (cids.length === 0 || cids.length > MAX_INFOS)
    throw invalid(`1 to ${MAX_INFOS} cid are needed`);
  const infos: Json[] = [];
  for (const one of cids) {
    try {
      const info = mergeFileInfos(await deps.locator.infos(fileId(one), request.signal));
      infos.push(info === undefined ? null : infoJson(info));
    } catch (error) {
      request.signal.throwIfAborted();
      infos.push(describeError(error)); // one bad id does not spoil the others
    }
  }
  return infos;
}

async function takeSegment(deps: GatewayDeps, request: HttpRequestIn): Promise<Json> {
  let segment: GatewaySegment;
  try {
    segment = parseGatewaySegment(request.body);
  } catch (error) {
    throw invalid(describeError(error));
  }
  const { root, txSeq } = request.body as Readonly<Record<string, unknown>>;
  if (typeof root !== 'string' && typeof txSeq !== 'number')
    throw invalid('either root or txSeq is needed');
  const id = typeof txSeq === 'number' ? fileId(String(txSeq)) : rootId(String(root));
  if ((await uploadSegment(deps, id, segment, request.signal)) === 0) throw notFound();
  return 'Succeeded to upload segment';
}

/** The nodes' status as one: the lowest heights, the most peers. */
async function mergedStatus({ directory }: GatewayDeps, signal: AbortSignal): Promise<Json> {
  const nodes = await directory.nodes(signal);
  const answers = await directory.callEach(nodes, ZGS.getStatus, [], parseZgStatus, signal);
  const statuses: ZgStatus[] = answers.map(({ result }) => result);
  const [lowest] = statuses.sort((left, right) => left.logSyncHeight - right.logSyncHeight);
  if (lowest === undefined) throw new Error('no storage node answers');
  const { networkIdentity } = lowest;
  return {
    connectedPeers: Math.max(...statuses.map((status) => status.connectedPeers)),
    logSyncHeight: lowest.logSyncHeight,
    logSyncBlock: lowest.logSyncBlock,
    nextTxSeq: Math.min(...statuses.map((status) => status.nextTxSeq)),
    networkIdentity: {
      ...networkIdentity,
      p2pProtocolVersion: { ...networkIdentity.p2pProtocolVersion },
    },
  };
}

async function readableInfo(
  { locator }: GatewayDeps,
  id: Root | number,
  signal: AbortSignal,
): Promise<ZgFileInfo> {
  const infos: NodeFileInfo[] = await locator.infos(id, signal);
  const info = mergeFileInfos(infos);
  if (info === undefined) throw notFound();
  if (info.pruned) throw new GatewayOutcome(FILE_PRUNED, 'File already pruned');
  if (infos.every((one) => one.info?.finalized !== true)) {
    throw new GatewayOutcome(FILE_NOT_FINALIZED, 'File not finalized yet');
  }
  return info;
}

/** Digits are a sequence, anything else a root: the 0G gateway's rule. */
function fileId(cid: string): Root | number {
  if (!/^\d{1,15}$/.test(cid)) return rootId(cid);
  return sequenceOf(Number(cid));
}

function rootId(text: string): Root {
  try {
    return parseRoot(text);
  } catch (error) {
    throw invalid(describeError(error));
  }
}

function notFound(): GatewayOutcome {
  return new GatewayOutcome(FILE_NOT_FOUND, 'File not found');
}

function invalid(reason: string): GatewayOutcome {
  return new GatewayOutcome(INVALID_PARAMETER, 'Invalid parameter', reason);
}

function infoJson({ tx, finalized, isCached, uploadedSegNum, pruned }: ZgFileInfo): Json {
  const nodes = tx.merkleNodes.map(([depth, root]) => [depth, root] as const);
  return {
    tx: { ...tx, streamIds: [...tx.streamIds], data: [...tx.data], merkleNodes: nodes },
    finalized,
    isCached,
    uploadedSegNum,
    pruned,
  };
}

function sendFailure(error: unknown, reply: HttpReplyOut, logger: Logger): void {
  if (error instanceof GatewayOutcome) {
    envelope(reply, error.code, error.message, error.data);
    return;
  }
  const reason = describeError(error);
  logger.warn({ reason }, 'a gateway request failed');
  envelope(reply.code(500), INTERNAL_ERROR, 'Internal server error', reason);
}

function envelope(reply: HttpReplyOut, code: number, message: string, data: Json): void {
  void reply.send({ code, message, data });
}

function textOf(fields: unknown, name: string): string | undefined {
  const value = (fields as Readonly<Record<string, unknown>>)[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
