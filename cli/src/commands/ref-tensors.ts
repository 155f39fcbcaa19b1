import { referTensors } from '@cairn/client-sdk';
import { contentReferenceJson } from '@cairn/wire-protocol';
import { connect } from '../connect.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { chooseNetwork, type NetworkOptions } from '../network-options.ts';
import { writeLine } from '../output.ts';
import { readReference } from '../reference-file.ts';
import { formatTable } from '../table.ts';

/** Lists the tensors of a model that a reference cites. */
export async function refTensors(
  file: string,
  { json, ...options }: NetworkOptions & { readonly json?: boolean },
  { io, signal }: CommandContext,
): Promise<number> {
  const content = await readReference(file, io);
  const client = await connect(await chooseNetwork(options, io));
  try {
    const tensors = await referTensors(client, content, { signal });
    if (json === true) {
      const items = tensors.map(({ reference, ...tensor }) =>
        reference === undefined
          ? tensor
          : { ...tensor, reference: JSON.parse(contentReferenceJson(reference)) },
      );
      await io.writeOut(`${JSON.stringify({ tensors: items })}\n`);
      return EXIT.ok;
    }
    const rows = tensors.map(({ name, dtype, shape, offset, length }) => [
      ...[name, dtype, shape.join('×') || '1'],
      ...[String(offset), String(length)],
    ]);
    await writeLine(io, formatTable(['TENSOR', 'TYPE', 'SHAPE', 'FROM', 'BYTES'], rows));
    return EXIT.ok;
  } finally {
    await client.close();
  }
}
