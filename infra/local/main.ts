/** `npm start`: a whole hub on this machine. Standard output carries the ready line and the guide, nothing else. */
import { hubFile } from '../demo/hub.ts';
import { writeDurably } from './data-folder.ts';
import { access, firstSteps } from './guide.ts';
import { type Hub, startHub } from './hub.ts';
import { whenNpmEnds } from './orphan.ts';

const print = process.stdout.write.bind(process.stdout);
// Functions log to standard output, where Lambda collects it. Here it goes beside the host's own complaints.
process.stdout.write = process.stderr.write.bind(process.stderr);

process.on('unhandledRejection', (error) => {
  console.error('hookline: a function left a promise behind that failed:', error);
});

let stopping = false;

try {
  const starting = startHub({ environment: process.env });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop(starting));
  whenNpmEnds(() => stop(starting));
  const hub = await starting;
  print(`hookline ready at ${hub.url}\n`);
  // Before anything that can fail: without the key nobody gets any further.
  print(`\n${access(hub)}\n`);
  if (hub.dataFolder) writeDurably(hubFile(hub.dataFolder), JSON.stringify({ url: hub.url, adminKey: hub.adminKey }));
  hub.died.then((how) => {
    // Ctrl-C reaches the engine, too.
    if (!stopping) fail(`DynamoDB ${how}; nothing works without it`);
  }, fail);
  print(await firstSteps(hub));
} catch (error) {
  fail(`could not start: ${error instanceof Error ? error.message : String(error)}`);
}

/** npm passes on a signal that the terminal has already sent, so it may come twice. */
function stop(starting: Promise<Hub>): void {
  if (stopping) return;
  stopping = true;
  starting
    .then((hub) => hub.stop())
    .then(
      () => process.exit(0),
      (error) => fail(`did not stop cleanly: ${error}`),
    );
}

function fail(what: string): never {
  console.error(`hookline ${what}`);
  process.exit(1);
}
