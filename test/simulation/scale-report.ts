import { SEGMENT_BYTES } from '@cairn/primitives';
import { COSTS, type FittedCost, fit, type ScalePlace, type ScaleRow } from './scale-model.ts';

const FILES = 10_000_000;
/** As in the measured networks, where sixteen files have 23 segments, seven of them whole ones. */
const SEGMENTS_A_FILE = 23 / 16;
const BYTES_A_FILE = (7 / 16) * SEGMENT_BYTES + 3128;
/** A network that nobody can simulate here, with as many shards as leave about five copies of each. */
const LARGE: ScalePlace = {
  nodes: 10_000,
  shards: 2048,
  files: FILES,
  segments: FILES * SEGMENTS_A_FILE,
  segmentBytes: FILES * BYTES_A_FILE,
  seconds: 0,
};
/** Bytes of an announcement. */
const NEWS_BYTES = 89;
/** Peers that a node remembers at most. */
const MAX_BOOK = 4096;
/**
 * Files that a node remembers something of at most: 65,536 announcements, three of a file, are the
 * longest of its bounded memories.
 */
const MAX_REMEMBERED = 21_845;

/** The parts of `docs/scale.md` that follow from the rows, by the name of their place in it. */
export function scaleParts(rows: readonly ScaleRow[]): Readonly<Record<string, string>> {
  const fitted = COSTS.map((cost) => fit(cost, rows));
  return { rows: rowTable(rows), model: modelTable(fitted), large: largeTable(fitted) };
}

/** The document with each part in its place. @throws if it has no place for one */
export function withParts(document: string, parts: Readonly<Record<string, string>>): string {
  return Object.entries(parts).reduce((text, [name, part]) => {
    const [begin, end] = [`<!-- fitted: ${name} -->\n`, '\n<!-- end -->'];
    const from = text.indexOf(begin);
    const to = text.indexOf(end, from);
    if (from < 0 || to < 0) throw new Error(`docs/scale.md has no place for ${name}`);
    return `${text.slice(0, from + begin.length)}${part}${text.slice(to)}`;
  }, document);
}

function rowTable(rows: readonly ScaleRow[]): string {
  const sorted = [...rows].sort(
    (left, right) =>
      left.nodes - right.nodes || left.files - right.files || right.shards - left.shards,
  );
  return table(
    [
      'nodes',
      'shards',
      'files',
      'segments',
      'seconds',
      'requests',
      'gossip',
      'disk, kB',
      'memory, kB',
    ],
    sorted.map((row) => [
      String(row.nodes),
      String(row.shards),
      String(row.files),
      String(row.segments),
      String(row.seconds),
      row.requests.toFixed(1),
      grouped(row.gossip),
      grouped(row.diskBytes / 1000),
      grouped(row.heapBytes / 1000),
    ]),
  );
}

function modelTable(fitted: readonly FittedCost[]): string {
  return table(
    ["a node's", 'model', 'largest residual'],
    fitted.map(({ cost, factors, residual }) => {
      const terms = cost.terms.map(({ text }, index) => {
        const factor = factors[index] ?? 0;
        return text === '' ? grouped(factor) : `${rounded(factor)} · ${text}`;
      });
      return [cost.name, terms.join(' + '), `${(residual * 100).toFixed(1)} %`];
    }),
  );
}

function largeTable(fitted: readonly FittedCost[]): string {
  const [gossip, requests, disk, memory] = fitted;
  if (gossip === undefined || requests === undefined || disk === undefined || memory === undefined)
    throw new Error('the model has four costs');
  const messages = gossip.at(LARGE) / FILES;
  const newsBytes = messages * NEWS_BYTES;
  const inMemory = memory.at({ ...LARGE, nodes: MAX_BOOK, files: MAX_REMEMBERED });
  const nothing = { ...LARGE, nodes: 0, segments: 0 };
  const perSecond = requests.at({ ...nothing, seconds: 1 });
  const toFillBook = requests.at({ ...nothing, nodes: MAX_BOOK });
  const fetched = requests.at({ ...nothing, segments: LARGE.segments });
  const indexBytes = disk.at({ ...LARGE, segmentBytes: 0 });
  return table(
    ["a node's", ''],
    [
      [
        'gossip',
        `${messages.toFixed(1)} messages or ${(newsBytes / 1000).toFixed(1)} kB a file: at one new file a second ` +
          `${(newsBytes / 1000).toFixed(1)} kB/s, ${((newsBytes * FILES) / 1e9).toFixed(0)} GB for all ten million`,
      ],
      [
        'requests',
        `${perSecond.toFixed(2)} a second, nearly all exchanges of records; ${grouped(toFillBook)} more until the book of peers is full, and ${grouped(fetched)} for the segments of all files`,
      ],
      [
        'disk',
        `${(indexBytes / 1e9).toFixed(1)} GB of index, since every node keeps the whole log, beside ${((disk.at(LARGE) - indexBytes) / 1e9).toFixed(1)} GB of segments`,
      ],
      [
        'memory',
        `at most ${(inMemory / 1e6).toFixed(0)} MB beside Node.js itself: it remembers ${grouped(MAX_BOOK)} peers, and something of ${grouped(MAX_REMEMBERED)} files`,
      ],
    ],
  );
}

/** A table of Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.join(' | ')} |`.replace('|  |', '| |');
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

/** A whole number with commas between thousands. */
export function grouped(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function rounded(value: number): string {
  return Math.abs(value) >= 100 ? grouped(value) : value.toPrecision(3);
}
