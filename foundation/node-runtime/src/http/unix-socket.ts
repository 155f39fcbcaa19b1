import { lstat, rm } from 'node:fs/promises';
import { connect } from 'node:net';

/** Removes a socket that a killed process left behind; one that answers stays, and so does a file. */
export async function removeStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSocket() !== true) return; // connecting to a file is refused as well
  const code = await new Promise<string>((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve('');
    });
    socket.once('error', (error) => {
      resolve('code' in error && typeof error.code === 'string' ? error.code : '');
    });
  });
  if (code === 'ECONNREFUSED') await rm(path, { force: true });
}
