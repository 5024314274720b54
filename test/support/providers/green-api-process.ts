import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';

const program = fileURLToPath(new URL('green-api-server.ts', import.meta.url));
const TOKEN = 'a-token-of-an-instance';

const Ready = v.object({ url: v.string() });
const Told = v.object({
  calls: v.array(
    v.object({
      instance: v.string(),
      text: v.string(),
      startedAt: v.number(),
      endedAt: v.optional(v.number()),
    }),
  ),
});

/** One message that the server took, in milliseconds since the epoch. The end is missing while there is none. */
export type Call = v.InferOutput<typeof Told>['calls'][number];

/** A GREEN-API server in a process of its own: no pause of the hub's is taken for one of theirs, and none is hidden. */
export class GreenApiProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #url: string;

  static async start(seed = 1): Promise<GreenApiProcess> {
    const child = fork(program, [TOKEN, String(seed)]);
    const [ready] = await once(child, 'message');
    return new GreenApiProcess(child, v.parse(Ready, ready).url);
  }

  constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.#url = url;
  }

  credentials(idInstance: string) {
    return { apiUrl: this.#url, mediaUrl: `${this.#url}/media`, idInstance, apiTokenInstance: TOKEN };
  }

  /** Every message that it took so far, in the order in which they came. */
  async calls(): Promise<readonly Call[]> {
    const told = once(this.#child, 'message');
    this.#child.send('calls');
    const [message] = await told;
    return v.parse(Told, message).calls;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.disconnect();
    await ended;
  }
}
