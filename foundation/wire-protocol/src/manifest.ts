import {
  concatBytes,
  equalBytes,
  type Json,
  keccak256,
  MAX_MANIFEST_BYTES,
  MAX_MANIFEST_DEPTH,
  type Root,
  stringifyJson,
  utf8Bytes,
  utf8Text,
  viewOf,
} from '@cairn/primitives';
import { assertBound, fieldsOf, listField, naturalField, rootField, textField } from './check.ts';
import { WireError } from './errors.ts';
import { parseBoundedJson } from './json-text.ts';

/** Longest name of a manifest entry in UTF-8 bytes: what file systems allow. */
const MAX_NAME_BYTES = 255;
/** Longest target of a symbolic link in characters. */
const MAX_LINK_LENGTH = 4096;
/** Fragments one file of a manifest may have; at 4 GiB each that is 64 TiB. */
const MAX_FILE_ROOTS = 16_384;

const VERSION = 2;
const HEADER_BYTES = 34;
/** Each level of directories nests an object and a list. */
const JSON_DEPTH = 2 * MAX_MANIFEST_DEPTH + 3;

/** A file of a directory: its bytes are those of `roots`, one after another. */
export interface ManifestFile {
  readonly kind: 'file';
  readonly name: string;
  /** None for an empty file, several where the file was cut into fragments. */
  readonly roots: readonly Root[];
  readonly sizeBytes: number;
}

/** A directory; its entries have different names. */
export interface ManifestDirectory {
  readonly kind: 'directory';
  readonly name: string;
  readonly entries: readonly ManifestEntry[];
}

/** A symbolic link. The target is text from outside: resolve it before following. */
export interface ManifestLink {
  readonly kind: 'link';
  readonly name: string;
  readonly link: string;
}

export type ManifestEntry = ManifestFile | ManifestDirectory | ManifestLink;

/** The 32 bytes a directory manifest begins with. */
export function manifestMagic(): Uint8Array {
  return keccak256(utf8Bytes('0g-storage-client-dir-codec'));
}

/** Whether a file that begins with `bytes` claims to be a directory manifest. */
export function isManifest(bytes: Uint8Array): boolean {
  return bytes.length >= HEADER_BYTES && equalBytes(bytes.subarray(0, 32), manifestMagic());
}

/**
 * The manifest file of a directory: magic, version 2, JSON in the official field names. The same
 * directory always gives the same bytes, entries in the order given.
 *
 * @param root - the top directory; its name is written as `/`
 * @throws {WireError} WIRE_MANIFEST for a bad name, kind or depth; WIRE_TOO_LONG beyond 32 MiB
 */
export function encodeManifest(root: ManifestDirectory): Uint8Array {
  checkDirectory(root, '/', 1);
  const version = new Uint8Array(2);
  viewOf(version).setUint16(0, VERSION);
  const json = utf8Bytes(stringifyJson({ ...entryJson(root), name: '/' }));
  const bytes = concatBytes(manifestMagic(), version, json);
  assertBound(bytes.length, MAX_MANIFEST_BYTES, 'manifest');
  return bytes;
}

function entryJson(entry: ManifestEntry): { readonly [key: string]: Json } {
  const { name } = entry;
  if (entry.kind === 'directory') {
    return { name, type: 'directory', entries: entry.entries.map(entryJson) };
  }
  if (entry.kind === 'link') return { name, type: 'symbolic', link: entry.link };
  return { name, type: 'file', roots: entry.roots, size: entry.sizeBytes };
}

/**
 * The directory of a manifest file of version 1 or 2.
 *
 * @throws {WireError} WIRE_MAGIC, WIRE_VERSION, WIRE_JSON, WIRE_MANIFEST, WIRE_FIELD, WIRE_TOO_LONG,
 *   WIRE_NOT_AN_OBJECT
 */
export function parseManifest(bytes: Uint8Array): ManifestDirectory {
  assertBound(bytes.length, MAX_MANIFEST_BYTES, 'manifest');
  if (!isManifest(bytes)) {
    throw new WireError(
      { code: 'WIRE_MAGIC', what: 'manifest', actual: `${bytes.length} bytes` },
      'the file does not begin like a directory manifest',
    );
  }
  const version = viewOf(bytes).getUint16(32);
  if (version < 1 || version > VERSION) {
    throw new WireError(
      { code: 'WIRE_VERSION', what: 'manifest', version, supported: VERSION },
      `manifest version ${version} is not supported, 1 and ${VERSION} are`,
    );
  }
  const value = parseBoundedJson(manifestText(bytes), JSON_DEPTH, 'manifest');
  const root = parseEntry(value, '', 0);
  if (root.kind !== 'directory') refuse('/', 'the top must be a directory');
  checkDirectory(root, '/', 1);
  return root;
}

function manifestText(bytes: Uint8Array): string {
  try {
    return utf8Text(bytes.subarray(HEADER_BYTES));
  } catch {
    throw new WireError(
      { code: 'WIRE_JSON', what: 'manifest', reason: 'not UTF-8' },
      'the manifest is not UTF-8 text',
    );
  }
}

function parseEntry(value: unknown, parent: string, depth: number): ManifestEntry {
  const what = 'manifest entry';
  const fields = fieldsOf(value, what);
  const name = textField(fields, 'name', what, MAX_NAME_BYTES);
  const path = `${parent}/${name}`;
  if (depth > MAX_MANIFEST_DEPTH) refuse(path, `deeper than ${MAX_MANIFEST_DEPTH} directories`);
  switch (fields['type']) {
    case 'directory': {
      // Go writes null, or nothing, for a directory without entries.
      const isEmpty = fields['entries'] === undefined || fields['entries'] === null;
      const entries = isEmpty
        ? []
        : listField(fields, 'entries', what, MAX_MANIFEST_BYTES, (entry) =>
            parseEntry(entry, path, depth + 1),
          );
      return { kind: 'directory', name, entries };
    }
    case 'symbolic':
      return { kind: 'link', name, link: textField(fields, 'link', what, MAX_LINK_LENGTH) };
    case 'file': {
      const sizeBytes = fields['size'] === undefined ? 0 : naturalField(fields, 'size', what);
      return { kind: 'file', name, roots: parseRoots(fields, what), sizeBytes };
    }
    default:
      return refuse(path, 'the type must be file, directory or symbolic');
  }
}

/** `roots` of version 2, or the single `hash` of version 1. */
function parseRoots(fields: Readonly<Record<string, unknown>>, what: string): Root[] {
  const { roots, hash } = fields;
  if (roots !== undefined && roots !== null) {
    return listField(fields, 'roots', what, MAX_FILE_ROOTS, (root) =>
      rootField({ root }, 'root', what),
    );
  }
  return hash === undefined || hash === '' ? [] : [rootField(fields, 'hash', what)];
}

function checkDirectory(directory: ManifestDirectory, path: string, depth: number): void {
  if (depth > MAX_MANIFEST_DEPTH) refuse(path, `deeper than ${MAX_MANIFEST_DEPTH} directories`);
  const names = new Set<string>();
  for (const entry of directory.entries) {
    const entryPath = path === '/' ? `/${entry.name}` : `${path}/${entry.name}`;
    checkName(entry.name, entryPath);
    if (names.has(entry.name)) refuse(entryPath, 'two entries have this name');
    names.add(entry.name);
    if (entry.kind === 'directory') checkDirectory(entry, entryPath, depth + 1);
    else checkLeaf(entry, entryPath);
  }
}

function checkLeaf(entry: ManifestFile | ManifestLink, path: string): void {
  if (entry.kind === 'link') {
    if (
      entry.link.length === 0 ||
      entry.link.length > MAX_LINK_LENGTH ||
      entry.link.includes('\0')
    ) {
      refuse(path, `a link's target has 1 to ${MAX_LINK_LENGTH} characters, none of them NUL`);
    }
    return;
  }
  if (entry.roots.length > MAX_FILE_ROOTS) refuse(path, `more than ${MAX_FILE_ROOTS} roots`);
  if (entry.sizeBytes > 0 && entry.roots.length === 0) {
    refuse(path, `${entry.sizeBytes} bytes, but no root`);
  }
}

function checkName(name: string, path: string): void {
  if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name)) {
    refuse(path, 'names must not be empty, ".", "..", or contain "/" or NUL');
  }
  if (utf8Bytes(name).length > MAX_NAME_BYTES) refuse(path, `longer than ${MAX_NAME_BYTES} bytes`);
}

function refuse(path: string, reason: string): never {
  const shown = path.length > 200 ? `${path.slice(0, 197)}…` : path;
  throw new WireError(
    { code: 'WIRE_MANIFEST', path: shown, reason },
    `manifest entry ${JSON.stringify(shown)}: ${reason}`,
  );
}

/**
 * The entry at a path such as `a/b.txt`, counted from the top; the top itself for an empty path.
 * Links are not followed.
 */
export function manifestEntryAt(root: ManifestDirectory, path: string): ManifestEntry | undefined {
  let at: ManifestEntry | undefined = root;
  for (const name of path.split('/')) {
    if (name === '') continue;
    at = at?.kind === 'directory' ? at.entries.find((entry) => entry.name === name) : undefined;
  }
  return at;
}
