/** A whole Cairn network on one machine, run by this process; `@cairn/devnet/control` is for others. */
export { createDevnet, type Devnet, type DevnetEvent, type DevnetOptions } from './devnet.ts';
