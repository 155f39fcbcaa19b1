import type { DirectoryEntry } from '@cairn/client-sdk';
import { parseRoot } from '@cairn/primitives';
import { connect } from '../connect.ts';
import { chooseDecryption, type DecryptOptions } from '../encryption-options.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { chooseNetwork, type NetworkOptions } from '../network-options.ts';

/** What `cairn file ls` takes. */
export interface FileLsOptions extends NetworkOptions, DecryptOptions {
  readonly recursive?: boolean;
  readonly json?: boolean;
}

/** Lists a stored directory: size and path of each entry, or one JSON object. */
export async function fileLs(
  rootText: string,
  path: string | undefined,
  options: FileLsOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  const root = parseRoot(rootText);
  const network = await chooseNetwork(options, io);
  const decryption = await chooseDecryption(options, network.keyFiles, context);
  const client = await connect(network);
  try {
    const entries = await client.files.ls(root, {
      signal,
      ...(path === undefined ? {} : { path }),
      ...(options.recursive === true ? { recursive: true } : {}),
      ...(decryption === undefined ? {} : { decryption }),
    });
    if (options.json === true) await io.writeOut(`${JSON.stringify({ root, entries })}\n`);
    else for (const entry of entries) await io.writeOut(`${describeEntry(entry)}\n`);
    return EXIT.ok;
  } finally {
    await client.close();
  }
}

function describeEntry(entry: DirectoryEntry): string {
  switch (entry.kind) {
    case 'file':
      return `${String(entry.sizeBytes).padStart(14)}  ${printable(entry.path)}`;
    case 'link':
      return `${'link'.padStart(14)}  ${printable(entry.path)} -> ${printable(entry.target)}`;
    case 'directory':
      return `${'directory'.padStart(14)}  ${printable(entry.path)}/`;
  }
}

/** A name from outside without what would steer a terminal. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is replaced
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '\ufffd');
}
