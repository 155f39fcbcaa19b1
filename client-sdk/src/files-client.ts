import { fragmentRanges, fragmentSources } from '@cairn/log-layer';
import { type Root, rootOf } from '@cairn/primitives';
import type { FileInput, FilesClient, GetOptions, RootOptions } from './client.ts';
import { type CostQuote, quoteOf } from './cost.ts';
import { diffDirectories, listEntries } from './directories.ts';
import type { DownloadDeps } from './download-file.ts';
import { type EconomicsDeps, extendFile, readEconomics } from './economics.ts';
import { sealedSize } from './encryption/framed-sources.ts';
import { headerBytesOf } from './encryption/headers.ts';
import type { Encryption } from './encryption/keys.ts';
import { FRAME_PLAIN_BYTES, FRAME_TAG_BYTES } from './encryption/sealed-frames.ts';
import { SdkError } from './errors.ts';
import type { PayableFile, Price } from './payer.ts';
import { prepareUpload } from './prepare-upload.ts';
import { type ProveDeps, proveAvailability } from './prove-availability.ts';
import { putDirectory } from './put-directory.ts';
import { cutFileManifest, type PutDeps, putFile } from './put-file.ts';
import { openStored, readManifest, readWhole } from './read-files.ts';
import type { Placement } from './shards/placement.ts';
import { resolveRange, sourceOf } from './sources.ts';
import { statFile } from './stat-file.ts';

/** The largest file `getBytes` takes into memory unless told: 1 GiB. */
const MAX_GET_BYTES: number = 1024 ** 3;

/** What files are stored and read with; made when first needed. */
export interface FilesDeps {
  readonly upload: () => Promise<PutDeps>;
  readonly download: (options: { readonly signal: AbortSignal }) => Promise<DownloadDeps>;
  readonly proving: (options: { readonly signal: AbortSignal }) => Promise<ProveDeps>;
  /** The chain's fees. @throws {SdkError} SDK_OPTION without a chain */
  readonly economics: (options: { readonly signal: AbortSignal }) => Promise<EconomicsDeps>;
  /** What the chain asks for files. @throws {SdkError} SDK_OPTION without a chain */
  readonly price: (
    files: PriceRequest['files'],
    request: Omit<PriceRequest, 'files'>,
  ) => Promise<PricedFiles>;
}

/** Files whose price is asked, and on which consensus shard. */
export interface PriceRequest {
  readonly files: readonly Pick<PayableFile, 'sizeBytes' | 'tags'>[];
  readonly shard: number | undefined;
  readonly signal: AbortSignal;
}

/** What files cost, and where, if there was a choice. */
export interface PricedFiles {
  readonly price: Price;
  readonly placement?: Placement;
}

/** The files part of a client: signals become required here and stay so below. */
export function filesClient(deps: FilesDeps): FilesClient {
  return {
    put: async (input, options = {}) =>
      putFile(input, await deps.upload(), { ...options, signal: signalOf(options) }),

    get: (file, options = {}) => getStream(deps, file, options),

    async open(file, options = {}) {
      const signal = signalOf(options);
      return openStored(file, await deps.download({ signal }), { ...options, signal });
    },

    async getBytes(file, options = {}) {
      const { maxBytes = MAX_GET_BYTES, range, ...rest } = options;
      const signal = signalOf(options);
      const opened = await openStored(file, await deps.download({ signal }), { ...rest, signal });
      if (range === undefined) return readWhole(opened, maxBytes, { signal });
      const { start, end } = resolveRange(opened.sizeBytes, range);
      if (end - start > maxBytes) throw tooLarge(end - start, maxBytes);
      return opened.read(start, end - start, { signal });
    },

    async stat(file, options = {}) {
      const signal = signalOf(options);
      return statFile(file, await deps.download({ signal }), { signal });
    },

    async economics(file, options = {}) {
      const signal = signalOf(options);
      return readEconomics(file, await deps.economics({ signal }), { signal });
    },

    async extend(file, options = {}) {
      const signal = signalOf(options);
      return extendFile(file, await deps.economics({ signal }), { ...options, signal });
    },

    async proveAvailability(file, options = {}) {
      const signal = signalOf(options);
      return proveAvailability(file, await deps.proving({ signal }), { ...options, signal });
    },

    root: async (input, options = {}) => identify(input, await deps.upload(), options),

    async quote(input, options = {}): Promise<CostQuote> {
      const signal = signalOf(options);
      const plainBytes = typeof input === 'number' ? input : sourceOf(input).sizeBytes;
      const sizes = storedSizes(plainBytes, options);
      if (sizes.length === 0) throw emptyFile();
      const tags = options.tags ?? new Uint8Array(0);
      const files = sizes.map((sizeBytes) => ({ sizeBytes, tags }));
      const { shard } = options;
      const { price, placement } = await deps.price(files, { shard, signal });
      return { ...quoteOf(sizes, price), ...(placement === undefined ? {} : { placement }) };
    },

    async ls(root, options = {}) {
      const signal = signalOf(options);
      const directory = await readManifest(root, await deps.download({ signal }), {
        ...options,
        signal,
      });
      return listEntries(directory, options);
    },

    putDirectory: async (items, options = {}) =>
      putDirectory(items, await deps.upload(), { ...options, signal: signalOf(options) }),

    async diff(before, after, options = {}) {
      const signal = signalOf(options);
      const download = await deps.download({ signal });
      const read = async (root: string) => readManifest(root, download, { ...options, signal });
      return diffDirectories(await read(before), await read(after));
    },
  };
}

async function* getStream(
  deps: FilesDeps,
  file: Parameters<FilesClient['get']>[0],
  { range, ...options }: GetOptions,
): AsyncGenerator<Uint8Array, void, void> {
  const signal = signalOf(options);
  const opened = await openStored(file, await deps.download({ signal }), { ...options, signal });
  const { start, end } = resolveRange(opened.sizeBytes, range);
  yield* opened.stream({ signal }, { offset: start, length: end - start });
}

async function identify(
  input: FileInput,
  deps: PutDeps,
  { fragmentBytes, onProgress, signal = new AbortController().signal }: RootOptions,
): Promise<Awaited<ReturnType<FilesClient['root']>>> {
  const source = sourceOf(input);
  if (source.sizeBytes === 0) throw emptyFile();
  let [paddedSectors, segments] = [0, 0];
  const roots: Root[] = [];
  for (const part of fragmentSources(source, fragmentBytes)) {
    const prepared = await prepareUpload(part, deps, { signal, isRechecked: false, onProgress });
    roots.push(prepared.root);
    paddedSectors += prepared.shape.paddedSectors;
    segments += prepared.shape.segments;
  }
  const [root] = roots;
  if (root === undefined) throw emptyFile();
  return { root, sizeBytes: source.sizeBytes, segments, paddedSectors, roots };
}

/** Stored bytes of each file of the log that a put makes; none for a file of none. */
function storedSizes(
  plainBytes: number,
  { encryption, fragmentBytes, name = 'file' }: Parameters<FilesClient['quote']>[1] & {},
): readonly number[] {
  const storedBytes = storedSize(plainBytes, encryption);
  if (storedBytes === 0) return [];
  const parts = [...fragmentRanges(storedBytes, fragmentBytes)].map(({ length }) => length);
  if (parts.length === 1) return parts;
  const anyRoot = rootOf(new Uint8Array(32));
  const manifest = cutFileManifest(name, Array<Root>(parts.length).fill(anyRoot), plainBytes);
  return [...parts, storedSize(manifest.length, encryption)];
}

/** Stored bytes of a plain file: encryption adds a header, sealing a tag for each frame too. */
function storedSize(plainBytes: number, kind: Encryption['kind'] | undefined): number {
  if (kind === undefined) return plainBytes;
  const isSealed = kind === 'sealed' || kind === 'sealed-to';
  const tagBytes = isSealed ? FRAME_TAG_BYTES : 0;
  const framePlainBytes = FRAME_PLAIN_BYTES;
  return sealedSize(plainBytes, headerBytesOf(kind), { framePlainBytes, tagBytes });
}

function signalOf({ signal }: { readonly signal?: AbortSignal }): AbortSignal {
  return signal ?? new AbortController().signal;
}

function emptyFile(): SdkError {
  return new SdkError(
    { code: 'SDK_EMPTY_FILE' },
    'a file of 0 bytes cannot be stored: it has no root',
  );
}

function tooLarge(sizeBytes: number, maxBytes: number): SdkError {
  return new SdkError(
    { code: 'SDK_TOO_LARGE', sizeBytes, maxBytes },
    `${sizeBytes} bytes were asked for; at most ${maxBytes} were to be read into memory`,
  );
}
