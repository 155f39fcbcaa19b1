import { type Clock, isRecord } from '@cairn/primitives';
import { DispersalError } from '../disperser/errors.ts';
import { RetrievalError } from '../retriever/errors.ts';
import { DEV_SEATS } from './dev-network.ts';
import { DevError } from './errors.ts';

/** What can be made to take its time. */
export const DELAYS = ['accepted', 'dispersed', 'confirmed', 'final', 'read'] as const;
/** How puts answer. */
export const PUT_ANSWERS = ['ok', 'unavailable', 'limited'] as const;
/** How gets answer. */
export const GET_ANSWERS = ['ok', 'unavailable', 'absent', 'null'] as const;

/** An answer, and for how many requests; `null`: until it is switched again. */
export interface Answering<Answer extends string> {
  readonly answer: Answer;
  readonly next: number | null;
}

/** How the doors behave, as integrators see and set it. */
export interface SwitchState {
  /**
   * Milliseconds until a put is answered, until the quorum has signed, until the chain has taken that,
   * until it is final, and until a get is answered: each counts from the one before.
   */
  readonly latencyMs: Readonly<Record<(typeof DELAYS)[number], number>>;
  /** `unavailable`: fail over (503); `limited`: the client had its share (429, or 503 for OP Stack). */
  readonly puts: Answering<(typeof PUT_ANSWERS)[number]>;
  /** `unavailable`: nothing is decided (503); `absent`: gone for certain (404); `null`: no payload ever had it (404, 418 for EigenDA). */
  readonly gets: Answering<(typeof GET_ANSWERS)[number]>;
  /** Members that do not answer; from two on, no quorum signs. */
  readonly silentSigners: number;
}

/** A delay at most. */
export const MAX_LATENCY_MS = 600_000;
const MAX_NEXT = 1_000_000;

/** How a disperser behaves that nobody has switched. */
export const SWITCHES_OFF: SwitchState = {
  latencyMs: { accepted: 0, dispersed: 50, confirmed: 1000, final: 2000, read: 0 },
  puts: { answer: 'ok', next: null },
  gets: { answer: 'ok', next: null },
  silentSigners: 0,
};

/** What an integrator turns to see how a rollup takes it. */
export class Switches {
  readonly #clock: Pick<Clock, 'sleep'>;
  readonly #initial: SwitchState;
  #state: SwitchState;

  constructor(clock: Pick<Clock, 'sleep'>, initial: SwitchState) {
    this.#clock = clock;
    this.#initial = initial;
    this.#state = initial;
  }

  get state(): SwitchState {
    return this.#state;
  }

  /** Changes what `change` names. @throws {DevError} DEV_SWITCH */
  turn(change: unknown): SwitchState {
    this.#state = parseSwitches(change, this.#state);
    return this.#state;
  }

  /** All as it was at the start. */
  reset(): SwitchState {
    this.#state = this.#initial;
    return this.#state;
  }

  /** Takes the time that is set for `what`. @throws the signal's reason */
  async delay(what: (typeof DELAYS)[number], signal: AbortSignal): Promise<void> {
    const waitMs = this.#state.latencyMs[what];
    if (waitMs > 0) await this.#clock.sleep(waitMs, signal);
  }

  /** @throws {DispersalError} DISPERSER_STOPPING, ACCOUNT_BUDGET as puts are switched */
  beforePut(sizeBytes: number): void {
    const { answer } = this.#state.puts;
    this.#state = { ...this.#state, puts: countDown(this.#state.puts) };
    switch (answer) {
      case 'ok':
        return;
      case 'unavailable':
        throw new DispersalError(
          { code: 'DISPERSER_STOPPING' },
          'puts are switched to unavailable: post to another layer',
        );
      case 'limited':
        throw new DispersalError(
          { code: 'ACCOUNT_BUDGET', usedBytes: 0, budgetBytes: 0, askedBytes: sizeBytes },
          'puts are switched to limited: this client had its share',
        );
    }
  }

  /** @throws {RetrievalError} BLOB_UNAVAILABLE, BLOB_ABSENT, BLOB_NULL as gets are switched */
  beforeGet(): void {
    const { answer } = this.#state.gets;
    this.#state = { ...this.#state, gets: countDown(this.#state.gets) };
    switch (answer) {
      case 'ok':
        return;
      case 'unavailable':
        throw new RetrievalError(
          { code: 'BLOB_UNAVAILABLE', have: 0, need: 1 },
          'gets are switched to unavailable: ask again',
        );
      case 'absent':
        throw new RetrievalError(
          { code: 'BLOB_ABSENT', members: DEV_SEATS.length },
          'gets are switched to absent: no member keeps the blob',
        );
      case 'null':
        throw new RetrievalError(
          { code: 'BLOB_NULL', badRows: 0 },
          'gets are switched to null: no payload has the commitment',
        );
    }
  }
}

function countDown<Answer extends string>(
  switched: Answering<Answer | 'ok'>,
): Answering<Answer | 'ok'> {
  const { next } = switched;
  if (next === null) return switched;
  return next <= 1 ? { answer: 'ok', next: null } : { ...switched, next: next - 1 };
}

const FIELDS = ['latencyMs', 'puts', 'gets', 'silentSigners'];

/** `change` over `state`. @throws {DevError} DEV_SWITCH */
export function parseSwitches(change: unknown, state: SwitchState): SwitchState {
  if (!isRecord(change)) throw refusal('(body)', 'is not an object');
  for (const field of Object.keys(change)) {
    if (!FIELDS.includes(field)) throw refusal(field, `is none of ${FIELDS.join(', ')}`);
  }
  const { latencyMs = {}, puts, gets, silentSigners } = change;
  return {
    latencyMs: { ...state.latencyMs, ...parseLatency(latencyMs) },
    puts: puts === undefined ? state.puts : parseAnswering(puts, PUT_ANSWERS, 'puts'),
    gets: gets === undefined ? state.gets : parseAnswering(gets, GET_ANSWERS, 'gets'),
    silentSigners:
      silentSigners === undefined
        ? state.silentSigners
        : naturalUpTo(silentSigners, DEV_SEATS.length, 'silentSigners'),
  };
}

function parseLatency(value: unknown): Partial<SwitchState['latencyMs']> {
  if (!isRecord(value)) throw refusal('latencyMs', 'is not an object');
  return Object.fromEntries(
    Object.entries(value).map(([name, delay]) => {
      const field = `latencyMs.${name}`;
      const known = DELAYS.find((candidate) => candidate === name);
      if (known === undefined) throw refusal(field, `is none of ${DELAYS.join(', ')}`);
      return [known, naturalUpTo(delay, MAX_LATENCY_MS, field)];
    }),
  );
}

/** An answer by its name, or `{answer, next}`. */
function parseAnswering<Answer extends string>(
  value: unknown,
  answers: readonly Answer[],
  field: string,
): Answering<Answer> {
  const { answer: named, next } = isRecord(value) ? value : { answer: value, next: undefined };
  const answer = answers.find((candidate) => candidate === named);
  if (answer === undefined) throw refusal(field, `is none of ${answers.join(', ')}`);
  const isEndless = next === undefined || next === null;
  return { answer, next: isEndless ? null : naturalUpTo(next, MAX_NEXT, `${field}.next`) || null };
}

function naturalUpTo(value: unknown, max: number, field: string): number {
  const isIt = typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max;
  if (isIt) return value;
  throw refusal(field, `is not a whole number up to ${max}`);
}

function refusal(field: string, rule: string): DevError {
  return new DevError({ code: 'DEV_SWITCH', field }, `${field} ${rule}`);
}
