import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below what devnets take, and what systems give to whoever asks for any port or connects: a process loads
 * for seconds before it listens, and nobody comes upon its port by chance meanwhile. Behind 10080, which
 * `fetch` refuses.
 */
const FIRST_PORT = 10_100;
const PORTS = 4_900;
const MAX_TRIES = 200;

const given = new Set<number>();

/** A port nobody listens on at the moment; another one each time. @throws if none is found */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const port = FIRST_PORT + randomInt(PORTS);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
  throw new Error(`none of ${MAX_TRIES} ports tried was free`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
