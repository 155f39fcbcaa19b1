import { encodeName } from './content-headers.ts';

/** One line of a directory. */
export interface DirectoryLine {
  readonly name: string;
  readonly kind: 'file' | 'directory' | 'symlink';
  /** Bytes of a file. */
  readonly sizeBytes?: number;
  /** What a symbolic link points to. */
  readonly target?: string;
}

/**
 * A directory as HTML that people read and that tools list by its links (fsspec, rclone, wget):
 * relative links, folders with a slash at the end, sizes in bytes.
 */
export function directoryHtml(path: string, lines: readonly DirectoryLine[]): string {
  const title = `Index of ${escapeHtml(path)}`;
  const rows = lines.map(({ name, kind, sizeBytes, target }) => {
    const shown = kind === 'directory' ? `${name}/` : name;
    const link = `${encodeName(name)}${kind === 'directory' ? '/' : ''}`;
    const label =
      kind === 'symlink'
        ? `${escapeHtml(name)} → ${escapeHtml(target ?? '')}`
        : `<a href="${escapeHtml(link)}">${escapeHtml(shown)}</a>`;
    return `<tr><td>${label}</td><td>${sizeBytes ?? ''}</td></tr>`;
  });
  return [
    '<!doctype html>',
    `<html lang="en"><head><meta charset="utf-8"><title>${title}</title></head>`,
    `<body><h1>${title}</h1><table><thead><tr><th>Name</th><th>Bytes</th></tr></thead><tbody>`,
    ...rows,
    '</tbody></table></body></html>',
    '',
  ].join('\n');
}

/** A directory as the JSON that the 0G gateway gives: `[{name, type, size?}]`. */
export function directoryJson(
  lines: readonly DirectoryLine[],
): { name: string; type: string; size?: number }[] {
  return lines.map(({ name, kind, sizeBytes }) => ({
    name,
    type: kind === 'symlink' ? 'symbolic' : kind,
    ...(sizeBytes === undefined ? {} : { size: sizeBytes }),
  }));
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
