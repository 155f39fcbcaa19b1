/** Start, background loops and an orderly end. */
export {
  type RunningService,
  runService,
  type ServiceContext,
  type ServiceOptions,
  type ServiceProcess,
} from './run-service.ts';
export { type LoopFailure, Runner, type RunnerDeps } from './runner.ts';
