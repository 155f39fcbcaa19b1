import { type ContentReference, partOfContent } from '@cairn/wire-protocol';
import type { Client, StoredFile } from '../client.ts';
import { SdkError } from '../errors.ts';
import {
  parseSafetensorsHeader,
  SAFETENSORS_PREFIX_BYTES,
  safetensorsHeaderBytes,
  type Tensor,
} from './safetensors.ts';

/** How a reference is read. */
export interface ResolveOptions {
  /** A file inside the directory that the reference names: all of it, its own size. */
  readonly path?: string;
  /** Segments fetched ahead of the reader; 16 unless told, taken as 1 to 256. */
  readonly parallel?: number;
  readonly signal?: AbortSignal;
}

/**
 * The bytes that a reference means, from whoever keeps them, each proven against its root.
 *
 * @throws {SdkError} SDK_REFERENCE if the network's file is shorter, or a path is asked of a
 *   part of a file; what `files.open` and reading throw
 */
export async function* resolveReference(
  client: Pick<Client, 'files'>,
  content: ContentReference,
  options: ResolveOptions = {},
): AsyncGenerator<Uint8Array, void, void> {
  const { signal = new AbortController().signal } = options;
  const file = await openReference(client, content, options);
  const { offset, length } = content;
  const range = options.path === undefined ? { offset, length } : undefined;
  yield* file.stream({ signal }, range);
}

/**
 * The tensors of a model in safetensors form, each cited by its byte range. Reads the header only.
 *
 * @throws {SdkError} SDK_SAFETENSORS, SDK_REFERENCE for a reference to a part of a file; what
 *   `files.open` and reading throw
 */
export async function referTensors(
  client: Pick<Client, 'files'>,
  content: ContentReference,
  { signal = new AbortController().signal }: { readonly signal?: AbortSignal } = {},
): Promise<readonly (Tensor & { readonly reference: ContentReference | undefined })[]> {
  if (!isWhole(content)) throw onlyPart(content, 'tensors are looked up in whole files');
  const file = await openReference(client, content, { signal });
  const { sizeBytes } = content;
  const prefixBytes = Math.min(SAFETENSORS_PREFIX_BYTES, sizeBytes);
  const prefix = await file.read(0, prefixBytes, { signal });
  const headerBytes = safetensorsHeaderBytes(prefix, sizeBytes);
  const header = await file.read(SAFETENSORS_PREFIX_BYTES, headerBytes, { signal });
  return parseSafetensorsHeader(header, sizeBytes).map((tensor) => ({
    ...tensor,
    reference: tensor.length === 0 ? undefined : partOfContent(content, tensor),
  }));
}

async function openReference(
  { files }: Pick<Client, 'files'>,
  content: ContentReference,
  { path, parallel, signal }: ResolveOptions,
): Promise<StoredFile> {
  const { root, sizeBytes } = content;
  if (path !== undefined && !isWhole(content)) {
    throw onlyPart(content, 'a path is looked up in whole directories');
  }
  const file = await files.open(root, {
    ...(path === undefined ? {} : { path }),
    ...(parallel === undefined ? {} : { parallel }),
    ...(signal === undefined ? {} : { signal }),
  });
  // Files that differ in trailing zeros only share a root: a longer one has the same bytes.
  if (path === undefined && file.sizeBytes < content.offset + content.length) {
    throw new SdkError(
      { code: 'SDK_REFERENCE', root, reason: `${file.sizeBytes} bytes, not ${sizeBytes}` },
      `the network has ${root} with ${file.sizeBytes} bytes, the reference says ${sizeBytes}`,
    );
  }
  return file;
}

function isWhole({ offset, length, sizeBytes }: ContentReference): boolean {
  return offset === 0 && length === sizeBytes;
}

function onlyPart({ root, offset, length }: ContentReference, rule: string): SdkError {
  return new SdkError(
    { code: 'SDK_REFERENCE', root, reason: rule },
    `the reference means ${length} bytes from byte ${offset} of ${root}; ${rule}`,
  );
}
