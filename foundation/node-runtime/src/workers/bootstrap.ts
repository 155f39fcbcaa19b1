import { parentPort, workerData } from 'node:worker_threads';
import { packError, type ReplyMessage, type TaskMessage } from './messages.ts';

/** What a thread runs first: it loads the pool's module and feeds tasks to its `run`. */
if (parentPort !== null) await serve(parentPort, String(workerData));

async function serve(port: NonNullable<typeof parentPort>, module: string): Promise<void> {
  const reply = (message: ReplyMessage, transfer: readonly ArrayBuffer[] = []): void =>
    port.postMessage(message, transfer);
  let loaded: { readonly run?: unknown; readonly transferOf?: unknown };
  try {
    loaded = await import(module);
    if (typeof loaded.run !== 'function') throw new TypeError(`${module} exports no function run`);
  } catch (error) {
    reply({ kind: 'unusable', error: packError(error) });
    return;
  }
  const { run, transferOf } = loaded;
  port.on('message', ({ id, task }: TaskMessage) => {
    void (async () => {
      try {
        const result: unknown = await run(task);
        const transfer: unknown = typeof transferOf === 'function' ? transferOf(result) : [];
        reply({ kind: 'result', id, result }, isBuffers(transfer) ? transfer : []);
      } catch (error) {
        reply({ kind: 'error', id, error: packError(error) });
      }
    })();
  });
}

function isBuffers(value: unknown): value is readonly ArrayBuffer[] {
  return Array.isArray(value) && value.every((item) => item instanceof ArrayBuffer);
}
