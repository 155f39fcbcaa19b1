import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { CodecError } from '../../src/errors.ts';
import {
  type StartGpuProcessOptions,
  startGpuProcess,
} from '../../src/gpu-process/start-gpu-process.ts';
import type { HoldingCodec } from '../../src/row-codec.ts';

/** A GPU in software that comes with Chromium: slow, and there on any machine. */
const SOFTWARE_DRIVER = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** What lets a GPU process find a driver here. */
export const GPU_ENV: Readonly<Record<string, string>> = existsSync(SOFTWARE_DRIVER)
  ? { VK_ICD_FILENAMES: SOFTWARE_DRIVER }
  : {};

/**
 * A codec on the GPU of this machine, in a process of its own; where there is none, why. With
 * CAIRN_REQUIRE_GPU in the environment there has to be one.
 */
export async function startedOrWhyNot(
  options: StartGpuProcessOptions = {},
): Promise<HoldingCodec | string> {
  try {
    return await startGpuProcess({ env: GPU_ENV, ...options });
  } catch (error) {
    if (process.env['CAIRN_REQUIRE_GPU'] !== undefined || !(error instanceof CodecError))
      throw error;
    return error.message;
  }
}

/** Says in the title of each test of a suite why it is skipped. */
export function skipAll(context: Mocha.Context, why: string): never {
  for (const test of context.test?.parent?.tests ?? []) test.title += ` (skipped: ${why})`;
  return context.skip();
}

let shared: Promise<HoldingCodec | string> | undefined;

/**
 * The GPU's codec for all suites that want nothing special: a GPU in software takes ten CPU seconds to
 * compile its kernels. Where there is none, why.
 */
export function sharedOrWhyNot(): Promise<HoldingCodec | string> {
  shared ??= startedOrWhyNot();
  return shared;
}

after(async () => {
  const started = await shared?.catch(() => undefined);
  if (typeof started === 'object') await started.close();
});

/** The codec on the GPU, `start`ed before the first test of a suite; without one its tests are skipped. */
export function gpuOfSuite(start = sharedOrWhyNot): () => HoldingCodec {
  let codec: HoldingCodec | undefined;
  before(async function () {
    const started = await start();
    if (typeof started === 'string') skipAll(this, started);
    codec = started;
  });
  return () => codec ?? assert.fail('it is started before the first test');
}

/** The GPU processes that a process started. Linux only; `undefined` elsewhere. */
export function gpuProcessesOf(pid: number): number[] | undefined {
  const file = `/proc/${pid}/task/${pid}/children`;
  if (!existsSync(file)) return undefined;
  const children = readFileSync(file, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  return children.filter((child) => {
    const command = `/proc/${child}/cmdline`;
    return existsSync(command) && readFileSync(command, 'utf8').includes('gpu-child');
  });
}
