import { signerFromKey } from '@cairn/chain-access';
import {
  type Duty,
  type DutySpan,
  type Possession,
  periodAt,
  readDepositLeft,
  readDuty,
  readDutyCount,
  readDutyPayments,
  readDutySpans,
  readProviderStake,
} from '@cairn/chain-access/possession';
import { type Address, formatCoin, mapConcurrent } from '@cairn/primitives';
import { type DutyOptions, readDuties } from '../duty-chain.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { findKey } from '../keys.ts';
import { writeJson, writeLine } from '../output.ts';
import { formatTable } from '../table.ts';

/** Duties looked at, the newest. */
const MAX_DUTIES = 10_000;
/** Duties asked for at the same time. */
const PARALLEL = 8;

/** What `cairn duty list` takes. */
export interface DutyListOptions extends DutyOptions {
  readonly provider?: Address;
  readonly all?: boolean;
}

interface ListedDuty {
  readonly id: number;
  readonly duty: Duty;
  readonly spans: readonly DutySpan[];
  readonly depositLeftWei: bigint;
}

/** Lists duties: those of an account, or everybody's, with what the account of the key has there. */
export async function dutyList(options: DutyListOptions, context: CommandContext): Promise<number> {
  const { io, signal } = context;
  await readDuties(options, context, async ({ possession, client, keyFiles }) => {
    const key = await findKey(options, keyFiles, context);
    const account = options.provider ?? (key && signerFromKey(key).address);
    const provider = options.all === true ? undefined : account;
    const listed = await read(possession, provider, signal);
    const block = await client.blockNumber({ signal });
    const period = periodAt(possession.terms, block);
    const purse =
      account === undefined
        ? undefined
        : {
            account,
            paymentsWei: await readDutyPayments(possession, account, { signal }),
            ...(await readProviderStake(possession, account, { signal })),
          };
    if (options.json === true) {
      await writeJson(io, {
        contract: possession.contract.address,
        block,
        period,
        duties: listed.map((each) => jsonOf(each, period)),
        ...(purse && {
          account: {
            address: purse.account,
            paymentsWei: String(purse.paymentsWei),
            bondedWei: String(purse.bondedWei),
            reservedWei: String(purse.reservedWei),
            rewardWei: String(purse.rewardWei),
            unbonding: purse.unbonding.map(({ amountWei, unlock }) => ({
              amountWei: String(amountWei),
              unlock,
            })),
          },
        }),
      });
      return;
    }
    const head = ['DUTY', 'PROVIDER', 'FILES', 'SECTORS', 'PRICE', 'DEPOSIT', 'PAID', 'STATE'];
    const rows = listed.map((each) => rowOf(each, period));
    await writeLine(io, formatTable(head, rows));
    io.writeErr(`period ${period}, block ${block}\n`);
    if (purse === undefined) return;
    const { paymentsWei, bondedWei, reservedWei, rewardWei } = purse;
    io.writeErr(
      `${purse.account}: ${formatCoin(paymentsWei + rewardWei)} coins to withdraw, ` +
        `${formatCoin(bondedWei)} at stake, of which ${formatCoin(reservedWei)} answer for something\n`,
    );
  });
  return EXIT.ok;
}

async function read(
  possession: Possession,
  provider: Address | undefined,
  signal: AbortSignal,
): Promise<readonly ListedDuty[]> {
  const count = await readDutyCount(possession, { signal });
  const first = Math.max(0, count - MAX_DUTIES);
  const ids = Array.from({ length: count - first }, (_, index) => first + index);
  const one = async (id: number, inner: AbortSignal): Promise<ListedDuty | undefined> => {
    const options = { signal: inner };
    const duty = await readDuty(possession, id, options);
    if (duty === undefined || (provider ?? duty.provider) !== duty.provider) return undefined;
    const spans = await readDutySpans(possession, id, options);
    const depositLeftWei = await readDepositLeft(possession, id, duty.provider, options);
    return { id, duty, spans, depositLeftWei };
  };
  const listed: ListedDuty[] = [];
  for await (const found of mapConcurrent(ids, one, { parallel: PARALLEL, signal })) {
    if (found !== undefined) listed.push(found);
  }
  return listed;
}

/** The period after the last one that is paid for; 0 where none is. */
function paidUntil(spans: readonly DutySpan[]): number {
  return spans.at(-1)?.until ?? 0;
}

function stateOf({ duty, depositLeftWei }: ListedDuty, period: number): string {
  const { firstPeriod, endPeriod, closableFrom } = duty;
  if (firstPeriod === 0) return 'not started';
  if (endPeriod !== 0) {
    if (period < endPeriod) return `ends before period ${endPeriod}`;
    return depositLeftWei === 0n ? 'ended' : 'ended, deposit not released';
  }
  if (closableFrom !== 0) return `closable from ${isoOf(closableFrom)}`;
  return period < firstPeriod ? `from period ${firstPeriod}` : 'kept';
}

/** Coins; wei where coins would be rounded to nothing. */
function amountOf(wei: bigint): string {
  const text = formatCoin(wei);
  return text === '0' && wei > 0n ? `${wei} wei` : text;
}

/** A Unix second as a date. */
export function isoOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

function rowOf(each: ListedDuty, period: number): readonly (string | number)[] {
  const { id, duty, spans, depositLeftWei } = each;
  const until = paidUntil(spans);
  return [
    id,
    duty.provider,
    duty.entries,
    duty.sectors,
    amountOf(duty.priceWei),
    amountOf(depositLeftWei),
    until > period ? `until period ${until}` : 'no',
    stateOf(each, period),
  ];
}

function jsonOf(each: ListedDuty, period: number) {
  const { id, duty, spans, depositLeftWei } = each;
  return {
    duty: id,
    provider: duty.provider,
    files: duty.entries,
    sectors: duty.sectors,
    priceWei: String(duty.priceWei),
    depositWei: String(duty.depositWei),
    depositLeftWei: String(depositLeftWei),
    firstPeriod: duty.firstPeriod,
    endPeriod: duty.endPeriod,
    closableFrom: duty.closableFrom,
    state: stateOf(each, period),
    spans: spans.map((span) => ({ ...span })),
  };
}
