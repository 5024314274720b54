import { createWebhook } from '#test/support/hub-api.ts';
import { startHubProcess } from '#test/support/hub-process.ts';
import { atMost, type Figure } from './figure.ts';
import { serverlessFile, temporaryFolder } from './stack.ts';
import { median } from './statistics.ts';
import { greenApiTraffic } from './traffic.ts';

const rounds = 5;
const adminKey = 'the-admin-key-of-the-benchmarks';

/** How soon a hub that has data is of use again. */
export async function start(): Promise<readonly Figure[]> {
  await using started = new AsyncDisposableStack();
  const data = temporaryFolder(started);
  const first = await startHub(data);
  const path = await createWebhook({ url: first.hub.url, adminKey }, greenApiTraffic.provider.name);
  await first.hub.end('SIGTERM');
  const starts: number[] = [];
  const answers: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const { hub, took } = await startHub(data);
    starts.push(took);
    answers.push(await firstAnswer(`${hub.url}${path}`, round));
    await hub.end('SIGTERM');
  }
  return [
    { name: 'start to ready line', value: median(starts), unit: 'ms', aim: atMost('value', 3000) },
    { name: 'ready line to first stored webhook', value: median(answers), unit: 'ms', aim: atMost('value', 100) },
  ];
}

async function startHub(data: string) {
  const since = performance.now();
  const hub = await startHubProcess(serverlessFile, { HOOKLINE_DATA: data, HOOKLINE_ADMIN_KEY: adminKey });
  return { hub, took: performance.now() - since };
}

async function firstAnswer(url: string, round: number): Promise<number> {
  const since = performance.now();
  const headers = { 'content-type': greenApiTraffic.contentType };
  const response = await fetch(url, { method: 'POST', headers, body: greenApiTraffic.body(`first-${round}`) });
  const text = await response.text();
  if (!text.includes('"stored"')) throw new Error(`the hub answered ${response.status} ${text}`);
  return performance.now() - since;
}
