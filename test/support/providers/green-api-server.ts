/** A GREEN-API server as a program: `green-api-server.ts <token> <seed>`. It ends with the process that forked it. */
import { Seeded } from '../simulation/seeded.ts';
import { FakeGreenApi } from './fake-green-api.ts';

const [token = '', seed = '1'] = process.argv.slice(2);
const random = new Seeded(Number(seed));
const server = new FakeGreenApi(token);
// About what a call of theirs takes; never twice the same.
server.answersAfterMs = () => random.between(100, 400);

process.on('disconnect', () => process.exit(0));
process.on('message', () => {
  const calls = server.taken.map(({ instance, text = '', seen }) => ({
    instance,
    text,
    startedAt: performance.timeOrigin + seen.at,
    ...(seen.endedAt !== undefined && { endedAt: performance.timeOrigin + seen.endedAt }),
  }));
  process.send?.({ calls });
});
await server.http.start();
process.send?.({ url: server.http.url });
