// Preloaded into a measured process: writes what it used to CAIRN_MEASURE_FILE when it ends.
import { writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const file = process.env.CAIRN_MEASURE_FILE;
if (file !== undefined && isMainThread) {
  process.on('exit', () => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    const wallSeconds = process.uptime();
    writeFileSync(
      file,
      JSON.stringify({
        cpuSeconds: (userCPUTime + systemCPUTime) / 1e6,
        wallSeconds,
        maxRssMib: maxRSS / 1024,
      }),
    );
  });
}
