import { DevnetError } from './errors.ts';
import type { RecordedProcess } from './run-file.ts';
import type { ManagedProcess, Supervisor } from './supervise.ts';

/** A service to run: one process. */
export interface ServicePlan {
  /** Names its process and its log. */
  readonly name: string;
  /** Where it answers. */
  readonly url: string;
  /** Starts it and waits until it serves. */
  start(signal: AbortSignal): Promise<ManagedProcess>;
}

interface Service extends ServicePlan {
  running: ManagedProcess | undefined;
}

/** A service that ended without having been stopped. */
export interface LostService {
  readonly name: string;
  readonly exit: string;
  readonly log: string;
  /** Whether a signal was sent to it before, as tests and the tour do. */
  readonly wasSignalled: boolean;
}

/** Who wants to know of services. */
export interface ServiceWatch {
  /** Called when other processes run than before. */
  onChange(): Promise<void>;
  onLost(lost: LostService): void;
}

/** The services of a devnet: which run, and what becomes of them. */
export class Services {
  readonly #supervisor: Pick<Supervisor, 'forget'>;
  readonly #watch: ServiceWatch;
  readonly #services: Service[] = [];
  readonly #signalled = new WeakSet<ManagedProcess>();

  constructor(supervisor: Pick<Supervisor, 'forget'>, watch: ServiceWatch) {
    this.#supervisor = supervisor;
    this.#watch = watch;
  }

  /** Those that run, in the order they were started. */
  processes(): readonly RecordedProcess[] {
    return this.#services.flatMap(({ name, url, running }) =>
      running === undefined ? [] : [{ ...running.identity, name, url }],
    );
  }

  /** Starts a service and waits until it serves. @throws what its start throws */
  async start(plan: ServicePlan, signal: AbortSignal): Promise<void> {
    const service: Service = { ...plan, running: undefined };
    this.#services.push(service);
    const running = await service.start(signal);
    this.#follow(service, running);
    await this.#watch.onChange();
  }

  /** Stops a service and starts it again. @throws {DevnetError} SERVICE_UNKNOWN; as `start` */
  async restart(name: string, signal: AbortSignal): Promise<void> {
    const service = this.#service(name);
    const before = service.running;
    service.running = undefined;
    if (before !== undefined) {
      await before.stop();
      this.#supervisor.forget(before);
    }
    this.#follow(service, await service.start(signal));
    await this.#watch.onChange();
  }

  /** A service that runs. @throws {DevnetError} SERVICE_UNKNOWN; PROCESS_ENDED if it ended */
  running(name: string): ManagedProcess {
    const { running } = this.#service(name);
    if (running !== undefined) return running;
    throw new DevnetError(
      { code: 'PROCESS_ENDED', name, exit: 'a moment ago', log: '' },
      `${name} ended by itself a moment ago`,
    );
  }

  /** Sends a signal to a service that runs. @throws {DevnetError} SERVICE_UNKNOWN */
  signal(name: string, signal: NodeJS.Signals): void {
    const { running } = this.#service(name);
    if (running === undefined) return;
    this.#signalled.add(running);
    running.signal(signal);
  }

  #follow(service: Service, running: ManagedProcess): void {
    service.running = running;
    running.ended
      .then((exit) => {
        if (service.running !== running) return;
        service.running = undefined;
        const { name, logPath: log } = running;
        this.#watch.onLost({ name, exit, log, wasSignalled: this.#signalled.has(running) });
      })
      .catch(() => undefined); // `ended` never rejects
  }

  #service(name: string): Service {
    const found = this.#services.find((service) => service.name === name);
    if (found !== undefined) return found;
    const known = this.#services.map((service) => service.name);
    throw new DevnetError(
      { code: 'SERVICE_UNKNOWN', name, known },
      `this devnet has no "${name}"; it has ${known.join(', ')}`,
    );
  }
}
