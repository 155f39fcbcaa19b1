import { type Clock, describeError, systemClock, withDeadline } from '@cairn/primitives';
import { CodecError } from '../errors.ts';
import { DeviceCodec } from '../gpu/device-codec.ts';
import type { HoldingCodec, RowCodec } from '../row-codec.ts';
import { loadWasmCodec } from '../wasm/wasm-codec.ts';
import { forkGpuChild } from './fork-gpu-child.ts';
import { RemoteDevice } from './remote-device.ts';

/** What a GPU's process is started with. */
export interface StartGpuProcessOptions {
  /** Decodes, in this process; `loadWasmCodec()` unless told. Closing the GPU's codec does not close it. */
  readonly decoder?: Pick<RowCodec, 'decode'>;
  /** No buffer of the device is larger than this: 256 KiB to 128 MiB, the default. */
  readonly maxBufferBytes?: number;
  /** Added to the environment: which drivers Vulkan looks for, say. */
  readonly env?: Readonly<Record<string, string>>;
  /** How long the start may take, 30,000 unless told. */
  readonly startTimeoutMs?: number;
  readonly clock?: Pick<Clock, 'sleep'>;
  /** Ends the start. */
  readonly signal?: AbortSignal;
}

const START_TIMEOUT_MS = 30_000;

/**
 * The codec on a GPU that a process of its own works with, so that a driver that crashes ends that
 * process and not this one. Node only. As `openGpuCodec`; data goes there in pieces of 4 MiB, of
 * which at most four are under way, and comes back so.
 *
 * Once the process is gone, everything under way and everything later faults with DEVICE_LOST. It
 * ends with `close`, or when this process does, which it keeps alive only while it works.
 *
 * @throws {CodecError} DEVICE_ABSENT if there is no GPU there, or no answer in time; the signal's
 *   reason
 */
export async function startGpuProcess(options: StartGpuProcessOptions = {}): Promise<HoldingCodec> {
  const { startTimeoutMs = START_TIMEOUT_MS, clock = systemClock(), env = {} } = options;
  const { signal = new AbortController().signal, maxBufferBytes } = options;
  signal.throwIfAborted();
  const decoder = options.decoder ?? (await loadWasmCodec());
  const child = forkGpuChild({
    env,
    clock,
    onMessage: (message) => device.receive(message),
    onGone: (reason) => device.lose(reason),
  });
  const device = new RemoteDevice(child);
  try {
    await withDeadline(
      'starting the GPU process',
      startTimeoutMs,
      (working) => device.open(maxBufferBytes, { signal: working }),
      { clock, signal },
    );
  } catch (error) {
    await device.close();
    signal.throwIfAborted();
    throw absentFault(error);
  }
  return new DeviceCodec(device, decoder);
}

/** Whatever ends a start: there is no device here. */
function absentFault(error: unknown): CodecError {
  const facts = error instanceof CodecError ? error.facts : undefined;
  if (error instanceof CodecError && facts?.code === 'DEVICE_ABSENT') return error;
  const reason = facts !== undefined && 'reason' in facts ? facts.reason : describeError(error);
  return new CodecError({ code: 'DEVICE_ABSENT', reason }, `no GPU can be used: ${reason}`, {
    cause: error,
  });
}
