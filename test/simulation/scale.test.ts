import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { readRows, SCALE_DOCUMENT } from './scale-files.ts';
import { COSTS, fit, type ScaleRow } from './scale-model.ts';
import { scaleParts, withParts } from './scale-report.ts';

/** A share of its size by which no row may differ from the model: beyond, a term is missing. */
const MAX_RESIDUAL = 0.2;

describe('the model of what a node costs', () => {
  let rows: readonly ScaleRow[];
  before(async () => {
    rows = await readRows();
  });

  it('is what docs/scale.md says', async () => {
    const document = await readFile(SCALE_DOCUMENT, 'utf8');
    assert.equal(withParts(document, scaleParts(rows)), document, 'run fit-scale.ts');
  });

  it('was fitted to networks of 100, 200 and 400 nodes, each with three or more numbers of files', () => {
    for (const nodes of [100, 200, 400]) {
      const counts = new Set(rows.filter((row) => row.nodes === nodes).map(({ files }) => files));
      assert.ok(counts.size >= 3, `${nodes} nodes: ${counts.size}`);
    }
  });

  it('explains every row', () => {
    for (const cost of COSTS) {
      const { residual } = fit(cost, rows);
      assert.ok(residual < MAX_RESIDUAL, `${cost.name}: ${residual}`);
    }
  });

  it('finds the factors that costs were made with', () => {
    const cost = COSTS.find(({ name }) => name === 'memory, bytes');
    assert.ok(cost !== undefined);
    const made = rows.map((row) => {
      const value = cost.terms.reduce((sum, term, at) => sum + (at + 2) * term.of(row), 0);
      return { ...row, heapBytes: value };
    });
    const { factors, residual } = fit(cost, made);
    for (const [at, factor] of factors.entries()) assert.ok(Math.abs(factor - at - 2) < 1e-6);
    assert.ok(residual < 1e-9);
  });
});
