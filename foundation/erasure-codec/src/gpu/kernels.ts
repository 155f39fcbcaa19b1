import type { LossWatch } from './loss-watch.ts';
import { COMBINE_WGSL, EXPAND_WGSL } from './shaders/combination-wgsl.ts';
import { LEAF_WGSL } from './shaders/leaf-wgsl.ts';
import { SLICE_WGSL } from './shaders/slice-wgsl.ts';
import { type GroupSize, NARROW, TRANSFORM_WGSL, WIDE } from './shaders/transform-wgsl.ts';

/** An entry point, where it is found, and what it is compiled with. */
interface Kernel {
  readonly entryPoint: string;
  readonly code: string;
  readonly constants?: Record<string, number>;
}

/** What runs on a device. */
export type KernelName =
  | 'slice'
  | 'unslice'
  | TransformName
  | `${TransformName}Narrow`
  | 'hashChunks'
  | 'hashParents'
  | 'expandCoefficients'
  | 'combineRows';

type TransformName = `${'interpolate' | 'evaluate'}${2 | 4}`;

const KERNELS: Readonly<Record<KernelName, Kernel>> = {
  slice: { entryPoint: 'slice', code: SLICE_WGSL },
  unslice: { entryPoint: 'unslice', code: SLICE_WGSL },
  interpolate2: transform('interpolate2', WIDE),
  interpolate4: transform('interpolate4', WIDE),
  evaluate2: transform('evaluate2', WIDE),
  evaluate4: transform('evaluate4', WIDE),
  interpolate2Narrow: transform('interpolate2', NARROW),
  interpolate4Narrow: transform('interpolate4', NARROW),
  evaluate2Narrow: transform('evaluate2', NARROW),
  evaluate4Narrow: transform('evaluate4', NARROW),
  hashChunks: { entryPoint: 'hashChunks', code: LEAF_WGSL },
  hashParents: { entryPoint: 'hashParents', code: LEAF_WGSL },
  expandCoefficients: { entryPoint: 'expandCoefficients', code: EXPAND_WGSL },
  combineRows: { entryPoint: 'combineRows', code: COMBINE_WGSL },
};

function transform(entryPoint: string, { width, height }: GroupSize): Kernel {
  return { entryPoint, code: TRANSFORM_WGSL, constants: { width, height } };
}

/** The kernels of one device, each compiled when it is first asked for. */
export class Kernels {
  readonly #device: GPUDevice;
  readonly #watch: LossWatch;
  readonly #modules = new Map<string, GPUShaderModule>();
  readonly #pipelines = new Map<KernelName, Promise<GPUComputePipeline>>();

  constructor(device: GPUDevice, watch: LossWatch) {
    this.#device = device;
    this.#watch = watch;
  }

  /** @throws {CodecError} DEVICE_LOST, also if the device cannot compile it */
  pipeline(name: KernelName): Promise<GPUComputePipeline> {
    const known = this.#pipelines.get(name);
    if (known !== undefined) return known;
    const { entryPoint, code, constants = {} } = KERNELS[name];
    const compute = { module: this.#module(code), entryPoint, constants };
    const pipeline = this.#watch.guard(
      this.#device.createComputePipelineAsync({ layout: 'auto', compute }),
    );
    this.#pipelines.set(name, pipeline);
    return pipeline;
  }

  #module(code: string): GPUShaderModule {
    const known = this.#modules.get(code);
    if (known !== undefined) return known;
    const made = this.#device.createShaderModule({ code });
    this.#modules.set(code, made);
    return made;
  }
}
