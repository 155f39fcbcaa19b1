import type { Hasher } from '@cairn/commitments';
import { badOption, type ClientParts } from '../connection.ts';
import type { DownloadDeps } from '../download-file.ts';
import type { EconomicsDeps } from '../economics.ts';
import type { FilesDeps, PricedFiles, PriceRequest } from '../files-client.ts';
import type { ProveDeps } from '../prove-availability.ts';
import type { PutDeps } from '../put-file.ts';
import { uploadJournal } from '../upload-journal.ts';
import { chooseByPrice, openShards, tellShard } from './choose-shard.ts';
import { locateOnShards, requireShard } from './locate-on-shards.ts';
import { placementJournal } from './placement-journal.ts';
import { ShardDirectory } from './shard-directory.ts';
import type { ShardsOptions } from './shard-options.ts';

interface Call {
  readonly signal: AbortSignal;
}

/** Files on all consensus shards of a network: read wherever they are, written where it is cheapest then. */
export class ShardedNetwork implements FilesDeps {
  readonly #directory: ShardDirectory;
  readonly #parts: ClientParts;
  readonly #hasher: () => Promise<Hasher>;

  constructor(options: ShardsOptions, parts: ClientParts, hasher: () => Promise<Hasher>) {
    this.#directory = new ShardDirectory(options, parts, hasher);
    this.#parts = parts;
    this.#hasher = hasher;
  }

  /** The first place alone, which key-value nodes read: it is found out when it is needed. */
  get home(): FilesDeps {
    const open = ({ signal }: Call) => this.#directory.home({ signal });
    return {
      upload: async () => ({
        ...(await this.upload()),
        openDestination: async (request) => (await open(request)).openDestination(request),
      }),
      download: (call) => this.download(call),
      proving: (call) => this.proving(call),
      economics: async (call) => (await open(call)).economics(call),
      price: async (files, request) => (await open(request)).price(files, request),
    };
  }

  async upload(): Promise<PutDeps> {
    const { pool, book, clock, rng, logger, journal } = this.#parts;
    const choosing = { directory: this.#directory, journal: placementJournal(journal), clock };
    return {
      hasher: await this.#hasher(),
      ...(pool === undefined ? {} : { pool }),
      ...{ book, clock, rng, logger, journal: uploadJournal(journal) },
      openDestination: ({ shard, ...request }) =>
        shard === undefined
          ? openShards(choosing, request)
          : tellShard(choosing, { ...request, shard }),
    };
  }

  async download(_call: Call): Promise<DownloadDeps & ProveDeps> {
    const { book, clock, rng } = this.#parts;
    const locate = locateOnShards(this.#directory);
    return { book, clock, rng, hasher: await this.#hasher(), locate };
  }

  proving(call: Call): Promise<ProveDeps> {
    return this.download(call);
  }

  async economics({ signal }: Call): Promise<EconomicsDeps> {
    return {
      locate: locateOnShards(this.#directory),
      feesOf: async ({ shard }) => {
        if (shard === undefined) throw new Error('a file that was found on shards has one');
        const { connection } = requireShard(shard, await this.#directory.shards({ signal }));
        if (connection === undefined)
          throw badOption('rpc', `no address of shard ${shard} is known`);
        return connection.fees({ signal });
      },
    };
  }

  async price(
    files: PriceRequest['files'],
    { shard, signal }: Omit<PriceRequest, 'files'>,
  ): Promise<PricedFiles> {
    return chooseByPrice(this.#directory, { files, shard, signal });
  }
}
