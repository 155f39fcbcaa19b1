import { epochSeconds } from '@cairn/primitives';
import { grouped, table } from '../scale-report.ts';
import type { KeptDraws } from './draw-files.ts';
import { fitLine, type ShardGas } from './gas.ts';
import { type DrawnShare, GROUP_KINDS, type GroupKind, type Limit, oddsOf } from './margins.ts';
import { proofSizes } from './proofs.ts';
import { ADVERSARY_PERCENTS, PARAMS, SIGNER_COUNTS } from './signers.ts';
import {
  type Absence,
  absentOf,
  bundleMessages,
  certificateSizes,
  committeeOf,
  type DrawnCommittee,
  gatherHandover,
  SHARD_COUNTS,
} from './sizes.ts';

const ABSENCES: readonly Absence[] = ['none', 'ordinary', 'most'];
/** Gas that a hub of the main network has for each second: 30 million a block of 12 s. */
const HUB_GAS_A_SECOND = 2_500_000;
const LIMIT_NAMES: Readonly<Record<Limit['name'], string>> = {
  third: '> 1/3',
  fiveTwelfths: '> 5/12',
  twoThirds: '> 2/3',
};

/** Seconds between two checkpoints of a shard, and these periods in an epoch. */
const PERIOD_SECONDS: number = PARAMS.checkpointPeriodBlocks * PARAMS.schedule.blockSeconds;
const PERIODS: number = epochSeconds(PARAMS.schedule) / PERIOD_SECONDS;

/** The parts of `docs/scale.md` about consensus shards, by the name of their place in it. */
export function consensusParts(
  draws: readonly KeptDraws[],
  gas: ShardGas,
): Readonly<Record<string, string>> {
  const drawn = SIGNER_COUNTS.map(committeeOf);
  return {
    seats: seatTable(drawn),
    messages: messageTable(drawn),
    certificates: certificateTable(drawn),
    proofs: proofTable(drawn),
    gas: gasTable(gas),
    margins: marginTable(drawn, draws),
  };
}

function seatTable(drawn: readonly DrawnCommittee[]): string {
  return table(
    ['signers', 'votes', 'seats', 'members', 'most seats of one', 'DA quorums', 'members of each'],
    drawn.map(({ signers, seated, committee }) => {
      const quorums = seated.groups.slice(1);
      const members = quorums.map((group) => group?.members.length ?? 0);
      return [
        grouped(signers.registered.length),
        grouped(signers.totalVotes),
        grouped(seated.seats),
        grouped(committee.members.length),
        String(Math.max(...committee.members.map(({ seats }) => seats))),
        quorums.length === 0 ? 'the committee' : String(quorums.length),
        quorums.length === 0 ? '–' : `${Math.min(...members)} to ${Math.max(...members)}`,
      ];
    }),
  );
}

function messageTable(drawn: readonly DrawnCommittee[]): string {
  return table(
    [
      'signers',
      'shards',
      "relayer's requests",
      "relayer's bytes",
      'bytes for a checkpoint',
      "member's bytes",
      "member's bytes an epoch",
    ],
    drawn.flatMap(({ signers, committee }) =>
      SHARD_COUNTS.map((shards) => {
        const members = committee.members.length;
        const { offer, request, vote } = bundleMessages(shards);
        const bytes = offer + request + vote;
        return [
          grouped(signers.registered.length),
          String(shards),
          grouped(2 * members),
          inBytes(members * bytes),
          inBytes((members * bytes) / shards),
          inBytes(bytes),
          inBytes(PERIODS * bytes),
        ];
      }),
    ),
  );
}

function certificateTable(drawn: readonly DrawnCommittee[]): string {
  return table(
    [
      'signers',
      'absent members',
      'hashes',
      'checkpoint of 1 / 4 / 16 / 64, members known',
      'the same, members brought',
      'handover',
      'handover as gathered',
      'members asked for it',
    ],
    drawn.flatMap((each) =>
      ABSENCES.map((absence) => {
        const absent = absentOf(each.committee, absence);
        const sizes = certificateSizes(each, absent);
        const isGathered = absence !== 'most'; // where most are away, whoever signs is asked
        const gathered = isGathered ? gatherHandover(each, absent) : undefined;
        return [
          grouped(each.signers.registered.length),
          `${sizes.absent} of ${grouped(sizes.members)}`,
          grouped(sizes.siblings),
          sizes.named.map(grouped).join(' / '),
          sizes.selfContained.map(grouped).join(' / '),
          grouped(sizes.handover),
          gathered === undefined ? '–' : grouped(gathered.bytes),
          gathered === undefined ? '–' : grouped(gathered.asked),
        ];
      }),
    ),
  );
}

function proofTable(drawn: readonly DrawnCommittee[]): string {
  const office = drawn.at(-1)?.header;
  if (office === undefined) throw new RangeError('no committee was drawn');
  return table(
    ['shards', 'checkpoints a year', 'path in the order', 'file', 'file, JSON', 'blob'],
    SHARD_COUNTS.map((shards) => {
      const sizes = proofSizes(shards, office);
      const { order, orderPath, file, fileJson, blob } = sizes;
      return [String(shards), ...[order, orderPath, file, fileJson, blob].map(grouped)];
    }),
  );
}

function gasTable({ bundles, handovers }: ShardGas): string {
  const bundle = fitLine(bundles);
  const handover = fitLine(handovers);
  const groups = PARAMS.maxQuorums + 1;
  const model = (line: typeof bundle, name: string): string =>
    `${grouped(line.base)} + ${grouped(line.each)} · ${name}, at most ${(line.residual * 100).toFixed(1)} % off`;
  const measured = new Map(bundles);
  return table(
    [
      'shards',
      'gas a period',
      'for each checkpoint',
      'gas a second',
      'part of the hub',
      'measured',
    ],
    [
      ...SHARD_COUNTS.map((shards) => {
        const gas = bundle.at(shards);
        const known = measured.get(shards);
        return [
          String(shards),
          grouped(gas),
          grouped(gas / shards),
          grouped(gas / PERIOD_SECONDS),
          `${((gas / PERIOD_SECONDS / HUB_GAS_A_SECOND) * 100).toFixed(2)} %`,
          known === undefined ? '–' : grouped(known),
        ];
      }),
      ['model', model(bundle, 'checkpoints'), '', '', '', ''],
      [
        `handover, ${groups} groups, on each shard`,
        `${grouped(handover.at(groups))} an epoch: ${model(handover, 'groups')}`,
        '',
        grouped(handover.at(groups) / epochSeconds(PARAMS.schedule)),
        '',
        handovers.map(([count, gas]) => `${count}: ${grouped(gas)}`).join(', '),
      ],
    ],
  );
}

function marginTable(drawn: readonly DrawnCommittee[], draws: readonly KeptDraws[]): string {
  const rows = drawn.flatMap((each) => {
    const kept = draws.find(({ signers }) => signers === each.signers.registered.length);
    const kinds = GROUP_KINDS.filter(({ name }) => name === 'committee' || kept !== undefined);
    return kinds.flatMap((kind) => marginRows(each, kind, kept));
  });
  return table(
    ['signers', 'group', 'seats beyond', ...ADVERSARY_PERCENTS.map((percent) => `${percent} %`)],
    rows,
  );
}

function marginRows(
  { signers }: DrawnCommittee,
  kind: GroupKind,
  kept: KeptDraws | undefined,
): string[][] {
  const count = grouped(signers.registered.length);
  const shareOf = (percent: number): DrawnShare | undefined =>
    kept?.shares.find((share) => share.group === kind.name && share.percent === percent);
  const group = kind.name === 'committee' ? 'committee' : 'DA quorum';
  const limits = kind.limits.map((limit) => [
    ...[count, group, LIMIT_NAMES[limit.name]],
    ...ADVERSARY_PERCENTS.map((percent) => {
      const exact = power(oddsOf(signers, kind, percent, limit));
      const share = shareOf(percent);
      if (share === undefined) return exact;
      return `${exact}; ${share.beyond[limit.name] ?? 0} of ${grouped(share.groups)}`;
    }),
  ]);
  if (kept === undefined) return limits;
  const largest = ADVERSARY_PERCENTS.map(
    (percent) => `${((shareOf(percent)?.largest ?? 0) / 10_000).toFixed(1)} %`,
  );
  return [...limits, [count, group, 'largest share drawn', ...largest]];
}

/** A probability by its logarithm to base 2. */
function power(log2: number): string {
  if (log2 === Number.NEGATIVE_INFINITY) return 'never';
  if (log2 === 0) return 'always';
  return log2 > -10 ? `${(100 * 2 ** log2).toPrecision(2)} %` : `2^${log2.toFixed(1)}`;
}

function inBytes(bytes: number): string {
  if (bytes < 10_000) return `${grouped(bytes)} B`;
  return bytes < 1e6 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
