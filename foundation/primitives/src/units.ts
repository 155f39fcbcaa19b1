/** 1,024 bytes. */
export const KIB = 1024;
/** 1,048,576 bytes. */
export const MIB: number = 1024 * KIB;
/** 1,073,741,824 bytes. */
export const GIB: number = 1024 * MIB;

/** A byte count for people: `0 B`, `1.5 KiB`, `3.0 GiB`. */
export function formatBytes(sizeBytes: number): string {
  const steps = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  if (sizeBytes < KIB) return `${sizeBytes} B`;
  let value = sizeBytes;
  let unit = 'B';
  for (const step of steps) {
    if (value < KIB) break;
    value /= KIB;
    unit = step;
  }
  return `${value.toFixed(1)} ${unit}`;
}

/** A duration for people: `350 ms`, `12.3 s`, `4 min 05 s`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 1000) return `${Math.round(durationMs)} ms`;
  const seconds = durationMs / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
}

/** An amount of the native coin for people, from wei, with at most nine decimals. */
export function formatCoin(amountWei: bigint): string {
  const whole = amountWei / 10n ** 18n;
  const nano = (amountWei % 10n ** 18n) / 10n ** 9n;
  const decimals = nano.toString().padStart(9, '0').replace(/0+$/, '');
  return decimals.length > 0 ? `${whole}.${decimals}` : whole.toString();
}
