import assert from 'node:assert/strict';
import { shellQuoted } from '../src/output.ts';
import { formatTable } from '../src/table.ts';

describe('table', () => {
  it('has columns of equal width, numbers at the right, no space at line ends', () => {
    const text = formatTable(
      ['NAME', 'SIZE', 'X'],
      [
        ['a', 5, 'y'],
        ['longer', 1234, ''],
      ],
    );
    assert.equal(text, 'NAME    SIZE  X\na          5  y\nlonger  1234');
  });

  it('is its head where there is nothing', () => {
    assert.equal(formatTable(['A', 'B'], []), 'A  B');
  });
});

describe('a quoted argument', () => {
  it('is taken back by a shell as it was', () => {
    assert.equal(shellQuoted('./a-b_c.txt'), './a-b_c.txt');
    assert.equal(shellQuoted("it's $HOME"), "'it'\\''s $HOME'");
    assert.equal(shellQuoted(''), "''");
  });
});
