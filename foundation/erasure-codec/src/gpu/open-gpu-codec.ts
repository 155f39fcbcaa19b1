import type { HoldingCodec, RowCodec } from '../row-codec.ts';
import { DeviceCodec } from './device-codec.ts';
import { type OpenGpuDeviceOptions, openGpuDevice } from './gpu-device.ts';

/** What a codec on a GPU works with. */
export interface OpenGpuCodecOptions extends OpenGpuDeviceOptions {
  /** Decodes, on the CPU: `loadWasmCodec()`, say. Closing the GPU's codec does not close it. */
  readonly decoder: Pick<RowCodec, 'decode'>;
}

/**
 * The codec on a GPU, through WebGPU: rows are encoded, hashed and combined where they lie, and only
 * leaves, combinations and rows that are asked for come back. Decoding runs on the CPU.
 *
 * One matrix is made at a time; 64 calls wait, more fault with QUEUE_FULL. Memory of the device:
 * (1 + cosets) times the data for as long as rows are held, up to 96 MiB more while they are made.
 * Kernels are compiled when first used. Shapes have 2 to 4096 data rows of up to 32 KiB, others
 * fault with LAYOUT. Once the device is lost every call faults with DEVICE_LOST, as it does after
 * `close`; so does one for which the device has no memory, and others may go on.
 *
 * @throws {CodecError} DEVICE_ABSENT if there is no GPU, or its limits are too small; the signal's
 *   reason
 */
export async function openGpuCodec({
  decoder,
  ...options
}: OpenGpuCodecOptions): Promise<HoldingCodec> {
  return new DeviceCodec(await openGpuDevice(options), decoder);
}
