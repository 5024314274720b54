import { fileURLToPath } from 'node:url';
import type { HubApi } from './hub-api.ts';
import { type HubProcess, startHubProcess } from './hub-process.ts';

const serverlessFile = fileURLToPath(new URL('../../serverless.yml', import.meta.url));
const adminKey = 'the-admin-key-of-a-mortal-hub';

/** A hub that can be killed and started again on the same data, at another address each time. */
export class MortalHub {
  readonly #environment: Readonly<Record<string, string>>;
  #starting: Promise<HubProcess>;

  /** The environment as `npm start` takes it. */
  constructor(environment: Readonly<Record<string, string>>) {
    this.#environment = environment;
    this.#starting = this.#start();
  }

  /** While it is down: where it will be. */
  async api(): Promise<HubApi> {
    return { url: (await this.#starting).url, adminKey };
  }

  async crash(whom: 'parent' | 'group'): Promise<void> {
    const hub = await this.#starting;
    await hub.end('SIGKILL', whom);
    this.#starting = this.#start();
    await this.#starting;
  }

  async end(): Promise<void> {
    await (await this.#starting).end('SIGTERM');
  }

  #start(): Promise<HubProcess> {
    return startHubProcess(serverlessFile, { ...this.#environment, HOOKLINE_ADMIN_KEY: adminKey });
  }
}
