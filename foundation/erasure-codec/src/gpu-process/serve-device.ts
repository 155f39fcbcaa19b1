import { describeError } from '@cairn/primitives';
import { CodecError } from '../errors.ts';
import type { RowDevice, RowMatrix } from '../gpu/row-device.ts';
import type { Reply, Request, Task, TaskFault } from './messages.ts';

/** What serving takes. */
export interface ServeDeviceOptions {
  /** Opens the device, once. @throws {CodecError} DEVICE_ABSENT */
  readonly open: (options: { readonly maxBufferBytes?: number }) => Promise<RowDevice>;
  readonly send: (reply: Reply) => void;
}

const NOTHING = new Uint8Array(0);

/** The side of a GPU's process: does what the parent asks. Returns what takes the parent's messages. */
export function serveDevice({ open, send }: ServeDeviceOptions): (request: Request) => void {
  const matrices = new Map<number, Promise<RowMatrix>>();
  const underWay = new Map<number, AbortController>();
  let device: Promise<RowDevice> = Promise.reject(new Error('no device was opened'));
  device.catch(() => undefined);

  const perform = async (task: Task, signal: AbortSignal): Promise<Uint8Array> => {
    const call = { signal };
    if (task.call === 'open') {
      const { maxBufferBytes } = task;
      device = open(maxBufferBytes === undefined ? {} : { maxBufferBytes });
      await device;
      return NOTHING;
    }
    if (task.call === 'create') {
      const made = device.then((opened) => opened.create(task.shape, call));
      matrices.set(task.matrix, made);
      await made;
      return NOTHING;
    }
    const matrix = await matrices.get(task.matrix);
    if (matrix === undefined) throw new RangeError(`there is no matrix ${task.matrix}`);
    switch (task.call) {
      case 'write':
        await matrix.write(task.at, task.piece, call);
        return NOTHING;
      case 'encode':
        await matrix.encode(call);
        return NOTHING;
      case 'leaves':
        return matrix.leaves(call);
      case 'combine':
        return matrix.combine(task.coefficients, task.part, call);
      case 'read':
        return matrix.read(task.indexes, call);
    }
  };

  return (request) => {
    if ('abort' in request) {
      underWay.get(request.abort)?.abort(new Error('the caller wished so'));
    } else if ('release' in request) {
      const matrix = matrices.get(request.release);
      matrices.delete(request.release);
      matrix?.then((made) => made.release()).catch(() => undefined); // its task told why
    } else {
      const { id, task } = request;
      const controller = new AbortController();
      underWay.set(id, controller);
      void perform(task, controller.signal)
        .then(
          (bytes): Reply => ({ id, bytes }),
          (error: unknown): Reply => ({ id, fault: faultOf(error, controller.signal) }),
        )
        .then((reply) => {
          underWay.delete(id);
          send(reply);
        });
    }
  };
}

function faultOf(error: unknown, signal: AbortSignal): TaskFault {
  if (error instanceof CodecError) {
    const { facts } = error;
    const { code } = facts;
    if (code === 'DEVICE_ABSENT' || code === 'DEVICE_FULL' || code === 'DEVICE_LOST') return facts;
  }
  const code = signal.aborted ? 'ABORTED' : 'DEVICE_LOST';
  return { code, reason: describeError(error) };
}
