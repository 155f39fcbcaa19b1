import { Fault } from '@cairn/primitives';

/** Work for the pool's tests, one kind a field. */
export interface TestTask {
  readonly kind: 'add' | 'fault' | 'throw' | 'exit' | 'spin' | 'buffer' | 'length';
  readonly values?: readonly number[];
  readonly bytes?: Uint8Array;
}

export async function run({ kind, values = [], bytes }: TestTask): Promise<unknown> {
  switch (kind) {
    case 'add':
      return values.reduce((sum, value) => sum + value, 0);
    case 'fault':
      throw new Fault({ code: 'TEST_FAULT', held: 3 } as { code: string }, 'three were held');
    case 'throw':
      throw new RangeError('out of range');
    case 'exit':
      process.exit(7);
      break;
    case 'spin': {
      const until = performance.now() + (values[0] ?? 0);
      while (performance.now() < until);
      return 'done';
    }
    case 'length':
      return bytes?.length;
    case 'buffer':
      return new Uint8Array(values[0] ?? 0).fill(9);
  }
  return undefined;
}

export function transferOf(result: unknown): ArrayBufferLike[] {
  return result instanceof Uint8Array ? [result.buffer] : [];
}
