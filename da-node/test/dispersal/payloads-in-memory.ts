import type { Root } from '@cairn/primitives';
import type { PayloadStore } from '../../src/disperser/ports.ts';

/** Payloads that live as long as the test. */
export function payloadsInMemory(): PayloadStore {
  const payloads = new Map<Root, Uint8Array>();
  return {
    put: async (id, payload) => void payloads.set(id, payload.slice()),
    get: async (id) => payloads.get(id),
    delete: async (id) => void payloads.delete(id),
    retainOnly: async (isWanted) => {
      for (const id of [...payloads.keys()]) if (!(await isWanted(id))) payloads.delete(id);
    },
  };
}
