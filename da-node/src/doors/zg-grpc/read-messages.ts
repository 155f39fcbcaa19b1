import { abortable, type Clock } from '@cairn/primitives';
import { Code, ConnectError } from '@connectrpc/connect';
import type { CallMemory } from './call-memory.ts';

/** How messages are read from a call. */
export interface MessageIntake {
  /** Bytes of one message. */
  readonly maxBytes: number;
  /** Refuses a call before anything of it is read. @throws {ConnectError} */
  readonly admit?: () => void;
  /** Refuses a message before it is taken apart. @throws {ConnectError} */
  readonly check?: (message: Uint8Array) => void;
  /** Where memory for a message comes from; messages that are small by `maxBytes` take none. */
  readonly memory?: CallMemory;
  readonly clock: Pick<Clock, 'sleep'>;
}

/** What stands before each message: a flag, 0 unless it is compressed, and its length as u32. */
const PREFIX_BYTES = 5;
/** Time for a message to begin, and the rate from which a longer one gets more to arrive. */
const MESSAGE_TIMEOUT_MS = 30_000;
const MIN_BYTES_PER_MS = 64;

/**
 * The messages of a call, each whole with its prefix and in one piece, however it was cut on the way:
 * what comes byte by byte costs no more than what comes at once. Memory is taken by the announced
 * length before the rest is read, so a client that announces much waits, held back by its stream.
 *
 * @throws {ConnectError} UNKNOWN for one that is too long, INVALID_ARGUMENT for one that is cut short,
 *   UNIMPLEMENTED for a compressed one, DEADLINE_EXCEEDED for a slow one; what `admit`, `check` and the
 *   memory throw; the signal's reason
 */
export async function* readMessages(
  parts: AsyncIterator<Uint8Array>,
  intake: MessageIntake,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    intake.admit?.();
    yield* messagesOf(new PartReader(parts), intake, signal);
  } finally {
    // Not awaited: a part that is being read comes first, should one ever come.
    void parts.return?.().catch(() => undefined);
  }
}

async function* messagesOf(
  source: PartReader,
  { maxBytes, memory, clock, check }: MessageIntake,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  for (;;) {
    const prefix = new Uint8Array(PREFIX_BYTES);
    const begun = await inTime(MESSAGE_TIMEOUT_MS, clock, signal, (inner) =>
      source.fill(prefix, inner),
    );
    if (begun === 0) return;
    if (begun < PREFIX_BYTES) throw cutShort(begun, PREFIX_BYTES);
    const length = new DataView(prefix.buffer).getUint32(1);
    if (prefix[0] !== 0) {
      throw new ConnectError('compressed messages are not read here', Code.Unimplemented);
    }
    if (length > maxBytes) {
      const sentence = `a message has up to ${maxBytes} bytes here, not ${length}`;
      throw new ConnectError(sentence, Code.Unknown);
    }
    await memory?.take(2 * (PREFIX_BYTES + length), signal); // here, and where it is taken apart
    const whole = new Uint8Array(PREFIX_BYTES + length);
    whole.set(prefix);
    const timeoutMs = MESSAGE_TIMEOUT_MS + length / MIN_BYTES_PER_MS;
    const message = whole.subarray(PREFIX_BYTES);
    const read = await inTime(timeoutMs, clock, signal, (inner) => source.fill(message, inner));
    if (read < length) throw cutShort(read, length);
    check?.(message);
    yield whole;
  }
}

/** Reads exact lengths from parts of any. */
class PartReader {
  readonly #parts: AsyncIterator<Uint8Array>;
  #left: Uint8Array = new Uint8Array(0);

  constructor(parts: AsyncIterator<Uint8Array>) {
    this.#parts = parts;
  }

  /** Fills `target` as far as there is anything; resolves with how far that is. */
  async fill(target: Uint8Array, signal: AbortSignal): Promise<number> {
    let filled = 0;
    while (filled < target.length) {
      if (this.#left.length === 0) {
        const { done, value } = await abortable(this.#parts.next(), signal);
        if (done === true) break;
        this.#left = value;
        continue;
      }
      const taken = this.#left.subarray(0, target.length - filled);
      target.set(taken, filled);
      filled += taken.length;
      this.#left = this.#left.subarray(taken.length);
    }
    return filled;
  }
}

async function inTime<Result>(
  timeoutMs: number,
  clock: Pick<Clock, 'sleep'>,
  signal: AbortSignal,
  read: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const work = new AbortController();
  const timer = new AbortController();
  const onAbort = (): void => work.abort(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  void clock.sleep(timeoutMs, timer.signal).then(
    () => {
      const sentence = `the message did not arrive within ${Math.round(timeoutMs)} ms`;
      work.abort(new ConnectError(sentence, Code.DeadlineExceeded));
    },
    () => undefined, // it arrived
  );
  try {
    return await read(work.signal);
  } finally {
    signal.removeEventListener('abort', onAbort);
    timer.abort();
  }
}

function cutShort(have: number, need: number): ConnectError {
  return new ConnectError(
    `the message ends after ${have} of its ${need} bytes`,
    Code.InvalidArgument,
  );
}
