import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isFault, systemClock } from '@cairn/primitives';
import { type LostService, Services } from '../src/services.ts';
import { Supervisor } from '../src/supervise.ts';

const { signal } = new AbortController();

describe('services', () => {
  let directory: string;
  let supervisor: Supervisor;
  let services: Services;
  let lost: LostService[];
  let onLost: () => void;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'cairn-services-'));
    supervisor = new Supervisor({ clock: systemClock() }, { logDirectory: directory });
    await supervisor.start([]);
    lost = [];
    onLost = () => undefined;
    services = new Services(supervisor, {
      onChange: async () => undefined,
      onLost: (service) => {
        lost.push(service);
        onLost();
      },
    });
  });

  afterEach(async () => {
    await supervisor.stop();
    await rm(directory, { recursive: true });
  });

  const plan = (name: string, seconds: string) => ({
    name,
    url: `http://127.0.0.1/${name}`,
    start: () => supervisor.run({ name, command: 'sleep', args: [seconds] }),
  });
  const nextLoss = (): Promise<void> =>
    new Promise((resolve) => {
      onLost = resolve;
    });

  it('are listed in the order they were started, while they run', async () => {
    await services.start(plan('first', '60'), signal);
    await services.start(plan('second', '60'), signal);
    assert.deepEqual(
      services.processes().map(({ name }) => name),
      ['first', 'second'],
    );
    const loss = nextLoss();
    services.signal('first', 'SIGKILL');
    await loss;
    assert.deepEqual(
      services.processes().map(({ name }) => name),
      ['second'],
    );
  });

  it('that end are told, and whether somebody had a hand in it', async () => {
    await services.start(plan('killed', '60'), signal);
    const killed = nextLoss();
    services.signal('killed', 'SIGKILL');
    await killed;
    const ended = nextLoss();
    await services.start(plan('short', '0'), signal);
    await ended;
    assert.deepEqual(
      lost.map(({ name, exit, wasSignalled }) => [name, exit, wasSignalled]),
      [
        ['killed', 'signal SIGKILL', true],
        ['short', 'exit code 0', false],
      ],
    );
  });

  it('that are restarted are not lost', async () => {
    await services.start(plan('again', '60'), signal);
    const [before] = services.processes();
    await services.restart('again', signal);
    const [after] = services.processes();
    assert.notEqual(before?.pid, after?.pid);
    assert.deepEqual(lost, []);
  });

  it('that there are none of are told by name', () => {
    assert.throws(
      () => services.signal('nobody', 'SIGTERM'),
      (error) => isFault(error, 'SERVICE_UNKNOWN'),
    );
  });
});
