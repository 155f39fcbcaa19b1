import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isFault } from '@cairn/primitives';
import { parse as parseToml } from 'smol-toml';
import type { ConfigError, ConfigProblem } from '../../src/config/errors.ts';
import { type LoadConfigOptions, loadConfig } from '../../src/config/load-config.ts';
import { renderExampleConfig } from '../../src/config/render-example.ts';
import type { ConfigSchema } from '../../src/config/schema.ts';
import { editDistance } from '../../src/config/suggest.ts';
import { inTemporaryDirectory } from '../temporary-directory.ts';

interface TestConfig {
  readonly storage: { readonly directory: string; readonly capacityBytes: number };
  readonly http: { readonly port: number; readonly host: string; readonly public: boolean };
  readonly log: { readonly level: string };
  readonly peers: readonly string[];
}

const schema: ConfigSchema = {
  type: 'object',
  description: 'A storage node.',
  required: ['storage', 'http', 'log', 'peers'],
  properties: {
    peers: {
      type: 'array',
      description: 'Nodes to begin with.',
      items: { type: 'string', pattern: '^https?://' },
      default: [],
      maxItems: 8,
    },
    storage: {
      type: 'object',
      description: 'What is kept and where.',
      required: ['directory', 'capacityBytes'],
      properties: {
        directory: { type: 'string', description: 'Where the node keeps its data.', minLength: 1 },
        capacityBytes: {
          type: 'integer',
          description: 'The most it keeps.',
          unit: 'bytes',
          minimum: 1024,
          default: 1_000_000,
        },
      },
    },
    http: {
      type: 'object',
      required: ['port', 'host', 'public'],
      properties: {
        port: { type: 'integer', minimum: 0, maximum: 65_535, default: 5678 },
        host: { type: 'string', default: '127.0.0.1' },
        public: { type: 'boolean', default: false },
        adminToken: { type: 'string', secret: true, minLength: 20 },
      },
    },
    log: {
      type: 'object',
      required: ['level'],
      properties: {
        level: { type: 'string', enum: ['error', 'warn', 'info', 'debug'], default: 'info' },
      },
    },
  },
};

async function problemsOf(options: Omit<LoadConfigOptions, 'schema'>): Promise<ConfigProblem[]> {
  let problems: ConfigProblem[] = [];
  await assert.rejects(loadConfig({ schema, ...options }), (error) => {
    assert.ok(isFault(error, 'CONFIG_INVALID'));
    problems = [...(error as ConfigError).facts.problems];
    for (const { path } of problems) assert.ok(error.message.includes(path));
    return true;
  });
  return problems;
}

describe('configuration', () => {
  it('takes each value from the strongest source and says which', async () => {
    await inTemporaryDirectory(async (directory) => {
      const file = join(directory, 'cairn.toml');
      await writeFile(
        file,
        'peers = ["http://a"]\n[storage]\ndirectory = "/from/file"\ncapacityBytes = 2048\n[http]\nport = 1\n',
      );
      const { config, sources } = await loadConfig<TestConfig>({
        schema,
        defaults: { log: { level: 'warn' }, http: { port: 9 } },
        file,
        env: {
          CAIRN_STORAGE__CAPACITY_BYTES: '4_096',
          CAIRN_HTTP__PORT: '2',
          CAIRN_HTTP__PUBLIC: 'true',
          CAIRN_DIR: '/ignored',
          PATH: '/bin',
        },
        overrides: { http: { port: 3, host: undefined } },
      });
      assert.deepEqual(config, {
        peers: ['http://a'],
        storage: { directory: '/from/file', capacityBytes: 4096 },
        http: { port: 3, host: '127.0.0.1', public: true },
        log: { level: 'warn' },
      });
      assert.deepEqual(
        ['storage.directory', 'storage.capacityBytes', 'http.port', 'http.host', 'peers'].map(
          (path) => sources.get(path),
        ),
        ['file', 'environment', 'flag', 'default', 'file'],
      );
    });
  });

  it('is frozen all the way down and leaves the schema’s defaults alone', async () => {
    const overrides = { storage: { directory: 'x' } };
    const { config } = await loadConfig<TestConfig>({ schema, overrides });
    assert.throws(() => Reflect.apply(Array.prototype.push, config.peers, ['x']), TypeError);
    assert.equal(Reflect.set(config.http, 'port', 1), false);
    assert.equal(Object.isFrozen(schema.properties?.['peers']?.default), false);
    assert.equal(Object.isFrozen(overrides.storage), false);
  });

  it('tells all problems of all sources together, with what was meant', async () => {
    await inTemporaryDirectory(async (directory) => {
      const file = join(directory, 'cairn.toml');
      await writeFile(
        file,
        '[http]\nprot = 1\n[storrage]\ndirectory = "x"\n[log]\nlevel = "inof"\n',
      );
      const problems = await problemsOf({
        file,
        env: { CAIRN_HTTP__PORT: 'eighty', CAIRN_STORAGE__CAPACITY_BYTE: '1' },
        overrides: { peers: ['ftp://a'] },
      });
      const byPath = new Map(problems.map((problem) => [problem.path, problem]));
      assert.deepEqual([...byPath.keys()].sort(), [
        'CAIRN_STORAGE__CAPACITY_BYTE',
        'http.port',
        'http.prot',
        'log.level',
        'peers.0',
        'storage.directory',
        'storrage',
      ]);
      assert.equal(byPath.get('http.prot')?.hint, 'did you mean "http.port"?');
      assert.equal(byPath.get('storrage')?.hint, 'did you mean "storage"?');
      assert.equal(byPath.get('log.level')?.hint, 'did you mean "info"?');
      assert.equal(
        byPath.get('CAIRN_STORAGE__CAPACITY_BYTE')?.hint,
        'did you mean "CAIRN_STORAGE__CAPACITY_BYTES"?',
      );
      assert.match(byPath.get('http.port')?.problem ?? '', /must be integer, not "eighty"/);
      assert.equal(byPath.get('http.port')?.source, 'environment');
      assert.equal(byPath.get('http.prot')?.source, 'file');
      assert.equal(byPath.get('storage.directory')?.problem, 'must be set');
    });
  });

  it('never quotes a secret', async () => {
    const secret = 'canary-77';
    const [problem] = await problemsOf({
      overrides: { storage: { directory: 'x' }, http: { adminToken: secret } },
    });
    assert.equal(problem?.path, 'http.adminToken');
    assert.ok(!JSON.stringify(problem).includes(secret));
  });

  it('says what is wrong with a file that is missing or no TOML', async () => {
    await inTemporaryDirectory(async (directory) => {
      const overrides = { storage: { directory: 'x' } };
      const file = join(directory, 'cairn.toml');
      assert.match((await problemsOf({ file, overrides }))[0]?.problem ?? '', /there is no file/);
      await loadConfig({ schema, file, overrides, fileIsOptional: true });
      await writeFile(file, '[http\nport = ');
      assert.match((await problemsOf({ file, overrides }))[0]?.problem ?? '', /is not TOML/);
    });
  });

  it('does not let a file reach an object’s prototype', async () => {
    await inTemporaryDirectory(async (directory) => {
      const file = join(directory, 'cairn.toml');
      await writeFile(file, '[storage]\ndirectory = "x"\n[__proto__]\nport = 1\n');
      await loadConfig({ schema, file }).catch(() => undefined);
      assert.equal(Reflect.get({}, 'port'), undefined);
    });
  });

  it('shows every setting in an example that loads once the required ones are filled in', async () => {
    const example = renderExampleConfig(schema);
    for (const text of [
      '# A storage node.',
      '[storage]',
      '# unit: bytes; at least 1024',
      '# port = 5678',
      'directory = ""',
    ]) {
      assert.ok(example.includes(text), `${text} in\n${example}`);
    }
    assert.deepEqual(JSON.parse(JSON.stringify(parseToml(example))), {
      storage: { directory: '' },
      http: {},
      log: {},
    });
    const uncommented = example
      .replace('directory = ""', 'directory = "x"')
      .replace('# port = 5678', 'port = 5678');
    await inTemporaryDirectory(async (directory) => {
      const file = join(directory, 'cairn.toml');
      await writeFile(file, uncommented);
      const { config, sources } = await loadConfig<TestConfig>({ schema, file });
      assert.equal(config.http.port, 5678);
      assert.equal(sources.get('http.port'), 'file');
    });
  });
});

describe('a list of tables', () => {
  const listed: ConfigSchema = {
    type: 'object',
    properties: {
      places: {
        type: 'array',
        description: 'More places.',
        default: [],
        maxItems: 2,
        items: {
          type: 'object',
          required: ['url'],
          properties: {
            url: { type: 'string', description: 'Where.' },
            tries: { type: 'integer', description: 'How often.', default: 3, minimum: 1 },
          },
        },
      },
      name: { type: 'string', default: 'x' },
    },
  };
  const load = (overrides: Record<string, unknown>) =>
    loadConfig<{ readonly places: readonly Record<string, unknown>[] }>({
      schema: listed,
      overrides,
    });

  it('has the defaults of each table, and none where there are none', async () => {
    assert.deepEqual((await load({})).config.places, []);
    const given = { url: 'a' };
    const { config } = await load({ places: [given, { url: 'b', tries: 9 }] });
    assert.deepEqual(config.places, [
      { url: 'a', tries: 3 },
      { url: 'b', tries: 9 },
    ]);
    assert.deepEqual(given, { url: 'a' }, 'what was given is left alone');
  });

  it('is refused by the place of the table', async () => {
    for (const [places, path] of [
      [[{ url: 'a' }, {}], 'places.1.url'],
      [[{ url: 'a', tries: 0 }], 'places.0.tries'],
      [[{ url: 'a', trise: 1 }], 'places.0.trise'],
      [['a'], 'places.0'],
    ] as const) {
      await assert.rejects(load({ places }), (error: ConfigError) => {
        return error.message.includes(path);
      });
    }
  });

  it('stands in the example as one table, commented out', async () => {
    const text = renderExampleConfig(listed);
    assert.match(text, /# More places\.\n# at most 2 entries\n# \[\[places\]\]\n/);
    assert.match(text, /# Where\.\n# url = ""\n/);
    assert.match(text, /# How often\.\n# at least 1\n# tries = 3\n/);
    assert.deepEqual({ ...parseToml(text) }, {});
    const filled = text.replaceAll(/^# (\[\[places|url|tries)/gm, '$1');
    const { places } = parseToml(filled);
    assert.equal(JSON.stringify(places), '[{"url":"","tries":3}]');
  });
});

describe('edit distance', () => {
  it('counts letters to insert, drop and replace', () => {
    const cases: [string, string, number][] = [
      ['', 'abc', 3],
      ['port', 'prot', 2],
      ['kitten', 'sitting', 3],
      ['same', 'same', 0],
    ];
    for (const [left, right, distance] of cases) assert.equal(editDistance(left, right), distance);
  });
});
