// The GPU's process: a device of Dawn, which a fault of a driver may end, and the parent with it
// if it were its own.
import { create } from 'webgpu';
import { openGpuDevice } from '../gpu/gpu-device.ts';
import type { Reply, Request } from './messages.ts';
import { serveDevice } from './serve-device.ts';

const gpu = create([]);
Reflect.set(globalThis, 'cairnGpu', gpu); // Dawn crashes if it is collected while devices live

const receive = serveDevice({
  open: (options) => openGpuDevice({ gpu, ...options }),
  send: (reply: Reply) => process.send?.(reply),
});
process.on('message', (request: Request) => receive(request)); // the parent is this package
// Nothing has to be put in order, and Dawn may wait for work that nobody needs any more.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
