/** What set-up needs to know and change of a stage. */
export interface Stage {
  /** Where the deployed stack answers; undefined where there is none. */
  url(): Promise<string | undefined>;
  readKey(): Promise<string | undefined>;
  writeKey(key: string): Promise<void>;
}

export interface SetupOptions {
  readonly stage: string;
  readonly region: string;
  readonly makeKey: () => string;
  /** Replaces the key. A function that has read the old one takes it for five minutes more. */
  readonly rotate: boolean;
  /** Hands the key out. Without it no secret gets onto a screen, or into the log of a pipeline. */
  readonly show: boolean;
}

export interface SetUp {
  readonly done: boolean;
  readonly lines: readonly string[];
  /** Only where it was asked for. */
  readonly key?: string;
}

/** Makes the admin key. Safe to repeat: a key that is there stays, unless it is to be replaced. */
export async function setUp(stage: Stage, options: SetupOptions): Promise<SetUp> {
  const url = await stage.url();
  if (url === undefined) return { done: false, lines: nothingThere(options) };
  const before = await stage.readKey();
  const key = before === undefined || options.rotate ? options.makeKey() : before;
  if (key !== before) await stage.writeKey(key);
  const lines = [whatWasDone(before, key), '', ...nextStep(url, options)];
  return { done: true, lines, ...(options.show ? { key } : {}) };
}

/** As they are passed to every script. */
const flagsOf = ({ stage, region }: SetupOptions): string => `--stage ${stage} --region ${region}`;

/** More often the region is another than the hub was never deployed; a second hub by mistake would be hard to notice. */
function nothingThere(options: SetupOptions): string[] {
  return [
    `Nothing is deployed as hookline-${options.stage} in ${options.region}.`,
    'Was another region meant? Name it with --region or AWS_REGION.',
    'If there is no hub yet, deploy one there first:',
    `  npm run deploy -- ${flagsOf(options)}`,
  ];
}

function whatWasDone(before: string | undefined, key: string): string {
  if (before === undefined) return 'The admin key was made.';
  return key === before
    ? 'The admin key is there already.'
    : 'The admin key was replaced; the old one stops within five minutes.';
}

function nextStep(url: string, options: SetupOptions): string[] {
  const show = `setup -- ${flagsOf(options)} --show`;
  return [
    ...(options.show ? [] : ['To see it, or to keep it in this shell:', `  npm run ${show}`, variable(show)]),
    'Next, make a webhook; the answer holds the URL for the settings of your provider, this once:',
    `  curl ${url}/api/webhooks -H "authorization: Bearer $ADMIN_KEY" -H 'content-type: application/json' \\`,
    `    -d '{"kind": "receive", "provider": "sandbox", "name": "First"}'`,
    'docs/operations.md says where each provider asks for it.',
  ];
}

/** npm writes a heading of its own to standard output unless it is told to be silent. */
const variable = (show: string): string => `  export ADMIN_KEY=$(npm run --silent ${show})`;
