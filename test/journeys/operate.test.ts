import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMetrics } from '@cairn/node-runtime/observe';
import { parseAddress } from '@cairn/primitives';
import { TestNode } from '../../storage-node/test/harness.ts';
import {
  alertExpressions,
  dashboardExpressions,
  measuresIn,
  missingFrom,
  OBSERVE,
} from '../support/observe.ts';
import { hasProgram } from '../support/programs.ts';

describe('what operators watch', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cairn-observe-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const isOfStorage = ({ name }: { readonly name: string }): boolean =>
    !/^cairn_(dispersal|signer|keeper)_/.test(name);

  it('is measured by a storage node that runs', async () => {
    // One that keeps duties and mines as well, at a chain that is away: it measures, and goes on.
    const duty = {
      contract: parseAddress(`0x${'d0'.repeat(20)}`),
      accountFile: join(folder, 'none'),
      accountPasswordFile: undefined,
      pollMs: 1000,
      maxFeePerGasWei: undefined,
    };
    const mining = {
      contract: parseAddress(`0x${'12'.repeat(20)}`),
      accountFile: join(folder, 'no.key'),
      accountPasswordFile: undefined,
      minerId: undefined,
      threads: 1,
      duty: 1,
      sealDuty: 1,
      startPosition: 0,
      pollMs: 1000,
      maxFeePerGasWei: undefined,
      autostart: true,
    };
    const node = await TestNode.start({ duty, mining, node: { metrics: createMetrics() } });
    try {
      await node.get('/version');
      const page = await (await node.get('/metrics')).text();
      const named = measuresIn([...alertExpressions(), ...dashboardExpressions()]);
      assert.ok(named.length > 60, `${named.length} measures are named`);
      assert.deepEqual(missingFrom([page], named.filter(isOfStorage)), []);
    } finally {
      await node.remove();
    }
  });

  it('is read by Prometheus: rules and expressions of panels', async function () {
    if (!hasProgram('promtool')) {
      process.stderr.write('      promtool is absent: rules and panels are not checked by it\n');
      this.skip();
    }
    const tool = (what: 'check' | 'test', path: string): void => {
      const { status, stdout, stderr } = spawnSync('promtool', [what, 'rules', path], {
        encoding: 'utf8',
      });
      assert.equal(status, 0, `${stdout}${stderr}`);
    };
    const check = (path: string): void => tool('check', path);
    check(join(OBSERVE, 'alerts.yml'));
    tool('test', join(OBSERVE, 'alerts.test.yml'));
    tool('test', join(OBSERVE, 'alerts-hours.test.yml'));
    const rules = dashboardExpressions().map(({ where, text }, at) => {
      const name = `panel_${at}`;
      return `      # ${where}\n      - record: ${name}\n        expr: ${JSON.stringify(text)}\n`;
    });
    const path = join(folder, 'panels.yml');
    await writeFile(path, `groups:\n  - name: panels\n    rules:\n${rules.join('')}`);
    check(path);
  });

  it('comes with alerts for a full disk, rot, a chain that stands still, a node that is away and a period about to be missed', () => {
    const text = alertExpressions()
      .map(({ text: expression }) => expression)
      .join('\n');
    for (const name of [
      'up{',
      'cairn_disk_free_bytes',
      'cairn_segment_damaged_total',
      'cairn_chain_lag_blocks',
      'cairn_duty_window_left_ratio',
    ]) {
      assert.ok(text.includes(name), name);
    }
  });
});
