// Preloaded into a measured process: writes what it used to CAIRN_MEASURE_FILE when it ends.
import { readFileSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const file = process.env.CAIRN_MEASURE_FILE;
if (file !== undefined && isMainThread) {
  process.on('exit', () => {
    const { userCPUTime, systemCPUTime } = process.resourceUsage();
    // Not resourceUsage's: that one begins with what the process had that started this one.
    const [, peakKib = 0] =
      /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    const wallSeconds = process.uptime();
    writeFileSync(
      file,
      JSON.stringify({
        cpuSeconds: (userCPUTime + systemCPUTime) / 1e6,
        wallSeconds,
        maxRssMib: Number(peakKib) / 1024,
      }),
    );
  });
}
