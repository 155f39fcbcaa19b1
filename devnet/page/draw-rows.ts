/** What is drawn of one row. */
export type RowState = 'unasked' | 'asked' | 'came' | 'missing';

/** All rows of a blob, in their order. */
export interface RowPicture {
  readonly rows: number;
  /** Place of the holder among members; `undefined` for a row that nobody holds. */
  readonly holderOf: (row: number) => number | undefined;
  readonly stateOf: (row: number) => RowState;
  readonly holders: number;
}

/** Cells across; pictures of 256 to 16,384 rows stay wider than high. */
const COLUMNS = 128;
const CELL = 8;

/**
 * Draws a cell for each row: its holder's colour, pale where it was not asked for, full where it came,
 * and a cross where it did not: shape tells what colour alone would not.
 */
export function drawRows(canvas: HTMLCanvasElement, picture: RowPicture): void {
  const columns = Math.min(COLUMNS, picture.rows / 4);
  canvas.width = columns * CELL;
  canvas.height = Math.ceil(picture.rows / columns) * CELL;
  const context = canvas.getContext('2d');
  if (context === null) return;
  for (let row = 0; row < picture.rows; row += 1) {
    const left = (row % columns) * CELL;
    const top = Math.floor(row / columns) * CELL;
    drawCell(context, { left, top }, picture.stateOf(row), hueOf(picture, row));
  }
}

function drawCell(
  context: CanvasRenderingContext2D,
  { left, top }: { readonly left: number; readonly top: number },
  state: RowState,
  hue: number | undefined,
): void {
  const colour = hue === undefined ? '0 0% 60%' : `${hue} 65% 45%`;
  context.fillStyle = `hsl(${colour} / ${state === 'came' ? 1 : 0.16})`;
  context.fillRect(left, top, CELL - 1, CELL - 1);
  if (state === 'unasked' || state === 'came') return;
  context.strokeStyle = state === 'asked' ? `hsl(${colour})` : '#c0392b';
  context.lineWidth = state === 'asked' ? 1 : 2;
  context.beginPath();
  if (state === 'asked') {
    context.rect(left + 0.5, top + 0.5, CELL - 2, CELL - 2);
  } else {
    const [near, far] = [1, CELL - 2];
    context.moveTo(left + near, top + near);
    context.lineTo(left + far, top + far);
    context.moveTo(left + far, top + near);
    context.lineTo(left + near, top + far);
  }
  context.stroke();
}

/** Hues as far apart as there are holders, beginning at blue. */
function hueOf({ holderOf, holders }: RowPicture, row: number): number | undefined {
  const holder = holderOf(row);
  return holder === undefined ? undefined : (210 + (360 * holder) / holders) % 360;
}
