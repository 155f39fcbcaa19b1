import type { Browser } from 'playwright-core';
import { newPage } from './browser.ts';

/** What the devnet's page said of a blob. */
export interface PageVerdict {
  readonly kind: string;
  readonly drawn: number;
  readonly answered: number;
  readonly holders: number;
  /** The sentence for people. */
  readonly text: string;
  /** Rows that the table of signers counts as come. */
  readonly tableCame: number;
  /** What a screen reader is told of the picture. */
  readonly picture: string;
  /** Whether anything is drawn. */
  readonly isDrawn: boolean;
  /** What the browser complained about. */
  readonly errors: readonly string[];
}

/** Has the page sample a blob as a person would: types it, presses the button, reads the verdict. */
export async function sampleByPage(
  browser: Browser,
  url: string,
  blob: string,
): Promise<PageVerdict> {
  const page = await newPage(browser);
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  try {
    await page.goto(url);
    await page.getByLabel('Commitment or id of a blob').fill(blob);
    await page.getByRole('button', { name: 'Sample it' }).click();
    await page.waitForSelector('body[data-state="done"], body[data-state="failed"]');
    const found = (await page.evaluate(`(() => {
      const verdict = document.getElementById('verdict');
      const canvas = document.getElementById('rows');
      const pixels = canvas.width === 0 ? [] : canvas.getContext('2d')
        .getImageData(0, 0, canvas.width, canvas.height).data;
      return {
        ...verdict.dataset,
        text: verdict.innerText,
        tableCame: [...document.querySelectorAll('#holders tr')]
          .reduce((sum, line) => sum + Number(line.cells[4].innerText), 0),
        picture: canvas.getAttribute('aria-label') ?? '',
        isDrawn: pixels.some((value) => value !== 0),
      };
    })()`)) as Omit<PageVerdict, 'errors'> & Record<'drawn' | 'answered' | 'holders', string>;
    const { drawn, answered, holders } = found;
    const numbers = {
      drawn: Number(drawn),
      answered: Number(answered),
      holders: Number(holders),
    };
    return { ...found, ...numbers, errors };
  } finally {
    await page.close();
  }
}
