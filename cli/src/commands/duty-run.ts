import {
  DutyKeeper,
  DutySet,
  readDutySequences,
  type SectorSource,
} from '@cairn/chain-access/possession';
import { loadHasher } from '@cairn/commitments';
import { createNodeTransport } from '@cairn/node-runtime/transport';
import { type HttpTransport, rootOf, silentLogger, systemClock } from '@cairn/primitives';
import { MAX_SECTOR_MESSAGE_BYTES, parseSectorMessage, sectorPath } from '@cairn/wire-protocol';
import {
  type DutyChain,
  type DutyOptions,
  parseDuty,
  requireDuty,
  withDuties,
} from '../duty-chain.ts';
import { CliError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { writeJson, writeLine } from '../output.ts';

const SECTOR_TIMEOUT_MS = 10_000;

/** What `cairn duty run` takes. */
export interface DutyRunOptions extends DutyOptions {
  readonly node: string;
  readonly once?: boolean;
}

/** Answers the periods of a duty with sectors of a node, each proven before it is shown. */
export async function dutyRun(
  typed: string,
  options: DutyRunOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  const id = parseDuty(typed);
  const transport = createNodeTransport();
  try {
    const keep = async (chain: DutyChain): Promise<void> => {
      const { client, possession, sender } = chain;
      await requireDuty(chain, id, context);
      const records = await chain.records.upTo(await client.blockNumber({ signal }), { signal });
      const files = new Set(await readDutySequences(possession, id, { signal }));
      const set = new DutySet(records.filter(({ sequence }) => files.has(sequence)));
      const hasher = await loadHasher();
      const source = sectorsOf(options.node, transport);
      const parts = { clock: systemClock(), logger: silentLogger() };
      const keeper = new DutyKeeper({ possession, sender, set, source, hasher, ...parts }, { id });
      if (options.once !== true) {
        io.writeErr(`keeping duty ${id}: ${set.entries.length} files; Ctrl-C stops\n`);
        await keeper.run(signal);
        return;
      }
      const outcome = await keeper.look({ signal });
      if (options.json === true) await writeJson(io, { duty: id, outcome });
      else await writeLine(io, outcome);
    };
    // A journal of its own: it is held for as long as this runs.
    await withDuties(options, context, keep, { journalName: `duty-${id}` });
  } finally {
    await transport.close();
  }
  return EXIT.ok;
}

function sectorsOf(node: string, transport: HttpTransport): SectorSource {
  const base = node.replace(/\/+$/, '');
  return {
    async sector({ entry, sector }, { signal }) {
      const { fileRoot: root, sequence } = entry;
      const url = `${base}${sectorPath(rootOf(root), sector, sequence)}`;
      const reply = await transport.send({
        method: 'GET',
        url,
        signal,
        timeoutMs: SECTOR_TIMEOUT_MS,
      });
      if (reply.status !== 200) {
        await reply.discard();
        throw new CliError(
          { code: 'CLI_NOT_FOUND', what: `sector ${sector} of ${rootOf(root)}`, network: base },
          `${base} does not give sector ${sector} of ${rootOf(root)}: HTTP status ${reply.status}`,
        );
      }
      return parseSectorMessage(await reply.bytes(MAX_SECTOR_MESSAGE_BYTES));
    },
  };
}
