import type { CertifiedBlob, RowPlaces, SampleReport } from '@cairn/light-client';
import { describeError } from '@cairn/primitives';
import { drawRows, type RowState } from './draw-rows.ts';
import { readPageNetwork } from './page-network.ts';
import { type PageSample, sampleInPage } from './sample-in-page.ts';
import { membersOf, tellFacts, tellHolders, tellVerdict } from './tell-sample.ts';

/** What the page shows and takes. */
class Page {
  readonly #form = part('ask', HTMLFormElement);
  readonly #input = part('blob', HTMLInputElement);
  readonly #step = part('step', HTMLElement);
  readonly #verdict = part('verdict', HTMLElement);
  readonly #drawing = part('drawing', HTMLElement);
  readonly #canvas = part('rows', HTMLCanvasElement);
  readonly #holders = part('holders', HTMLElement);
  readonly #facts = part('facts', HTMLElement);
  #running = new AbortController();

  /** Takes questions; a link that ends in `#0x…` asks one. */
  open(): void {
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#ask(this.#input.value.trim());
    });
    const linked = decodeURIComponent(location.hash.slice(1));
    if (linked === '') return;
    this.#input.value = linked;
    void this.#ask(linked);
  }

  async #ask(wanted: string): Promise<void> {
    this.#running.abort(new Error('another blob is asked about'));
    const running = new AbortController();
    this.#running = running;
    this.#show('working');
    for (const section of [this.#verdict, this.#drawing, this.#facts]) section.hidden = true;
    let places: Picture | undefined;
    const watch = {
      onStep: (text: string): void => {
        this.#step.textContent = text;
      },
      onCertified: (certified: CertifiedBlob, where: RowPlaces): void => {
        places = { certified, where };
        this.#draw(places, new Map());
      },
      onProgress: ({ answered }: { readonly answered: readonly number[] }): void => {
        if (places !== undefined) this.#draw(places, new Map(answered.map((row) => [row, 'came'])));
      },
    };
    try {
      const { signal } = running;
      const sample = await sampleInPage(await readPageNetwork(signal), wanted, watch, { signal });
      if (places !== undefined) this.#draw(places, statesOf(sample.verdict.report));
      this.#tell(sample);
      this.#show('done');
    } catch (error) {
      if (this.#running !== running) return; // another question took its place
      this.#verdict.dataset['kind'] = 'failed';
      this.#say('No verdict', describeError(error));
      this.#show('failed');
    }
  }

  #tell(sample: PageSample): void {
    const { verdict } = sample;
    const { title, text } = tellVerdict(verdict);
    const { drawn, answered, holders } = verdict.report;
    Object.assign(this.#verdict.dataset, { kind: verdict.kind, drawn, answered, holders });
    this.#say(title, text);
    this.#holders.replaceChildren(
      ...tellHolders(sample).map(({ signer, url, seats, asked, came, codes }) => {
        const line = document.createElement('tr');
        line.append(cell(signer, 'code'), cell(url));
        for (const count of [seats, asked, came]) line.append(cell(String(count), 'number'));
        line.append(cell(codes));
        return line;
      }),
    );
    const facts = tellFacts(sample).flatMap(([name, value]) => [
      element('dt', name),
      element('dd', value),
    ]);
    this.#facts.querySelector('dl')?.replaceChildren(...facts);
    this.#facts.hidden = false;
  }

  #say(title: string, text: string): void {
    this.#verdict.replaceChildren(element('h2', title), element('p', text));
    this.#verdict.hidden = false;
  }

  #draw({ certified, where }: Picture, states: ReadonlyMap<number, RowState>): void {
    const members = membersOf(certified);
    const placeOf = new Map(members.map(({ signer }, place) => [signer, place]));
    const { rows } = certified.blob.layout;
    this.#drawing.hidden = false;
    drawRows(this.#canvas, {
      rows,
      holders: members.length,
      holderOf: (row) => {
        const holder = where.holderOf(row);
        return holder === undefined ? undefined : placeOf.get(holder);
      },
      stateOf: (row) => states.get(row) ?? 'unasked',
    });
    const count = (state: RowState): number =>
      [...states.values()].filter((one) => one === state).length;
    this.#canvas.setAttribute(
      'aria-label',
      `${rows} rows of ${members.length} signers: ${count('came')} came, ${count('missing')} did not`,
    );
  }

  #show(state: 'working' | 'done' | 'failed'): void {
    document.body.dataset['state'] = state;
    const button = this.#form.querySelector('button');
    if (button !== null) button.disabled = state === 'working';
    if (state !== 'working') this.#step.textContent = '';
  }
}

/** A blob whose rows are drawn. */
interface Picture {
  readonly certified: CertifiedBlob;
  readonly where: RowPlaces;
}

function statesOf({ came, missing }: SampleReport): Map<number, RowState> {
  const states = new Map<number, RowState>(came.map(({ index }) => [index, 'came']));
  for (const { index } of missing) states.set(index, 'missing');
  return states;
}

function element(name: string, text: string): HTMLElement {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function cell(text: string, kind?: 'code' | 'number'): HTMLElement {
  const made = element('td', kind === 'code' ? '' : text);
  if (kind === 'number') made.className = 'number';
  if (kind === 'code') made.append(element('code', text));
  return made;
}

function part<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`the page has no ${id}`);
}

new Page().open();
