import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { DevnetError } from './errors.ts';

const ARCHES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/**
 * The chain's executable, as npm put it on this machine: run directly, without the package's
 * JavaScript launcher, so that the process we start is the one we stop.
 *
 * @throws {DevnetError} ANVIL_MISSING
 */
export function anvilPath(): string {
  const { platform, arch } = process;
  const program = platform === 'win32' ? 'anvil.exe' : 'anvil';
  try {
    // The platform's package is a dependency of @foundry-rs/anvil, so it is looked up from there.
    const require = createRequire(import.meta.url);
    const launcher = require.resolve('@foundry-rs/anvil/package.json');
    const packageName = `@foundry-rs/anvil-${platform}-${ARCHES[arch] ?? arch}`;
    const found = createRequire(launcher).resolve(`${packageName}/package.json`);
    const path = join(dirname(found), 'bin', program);
    if (existsSync(path)) return path;
  } catch (error) {
    throw missing(platform, arch, error);
  }
  throw missing(platform, arch);
}

function missing(platform: string, arch: string, cause?: unknown): DevnetError {
  return new DevnetError(
    { code: 'ANVIL_MISSING', platform, arch },
    `no chain for ${platform} on ${arch}: the optional package of @foundry-rs/anvil is not installed`,
    { cause },
  );
}
