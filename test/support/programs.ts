import { spawnSync } from 'node:child_process';

/** Whether a program runs here. Tests that drive an absent one skip, and say so. */
export function hasProgram(command: string, args: readonly string[] = ['--version']): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}
