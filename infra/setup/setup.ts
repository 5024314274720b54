/** What set-up needs to know and change of a stage. */
export interface Stage {
  /** Where the deployed stack answers; undefined where there is none. */
  url(): Promise<string | undefined>;
  readKey(): Promise<string | undefined>;
  writeKey(key: string): Promise<void>;
}

export interface SetupOptions {
  /** As it is passed to every script: `--stage prod --region eu-central-1`. */
  readonly flags: string;
  readonly makeKey: () => string;
  /** Replaces the key. A function that has read the old one takes it for five minutes more. */
  readonly rotate: boolean;
  /** Prints the key. Without it no secret gets onto a screen, or into the log of a pipeline. */
  readonly show: boolean;
}

export interface SetUp {
  readonly done: boolean;
  readonly lines: readonly string[];
}

/** Makes the admin key. Safe to repeat: a key that is there stays, unless it is to be replaced. */
export async function setUp(stage: Stage, options: SetupOptions): Promise<SetUp> {
  const url = await stage.url();
  if (url === undefined) {
    return { done: false, lines: ['Nothing is deployed here; deploy the stage first:', deploy(options)] };
  }
  const before = await stage.readKey();
  const key = before === undefined || options.rotate ? options.makeKey() : before;
  if (key !== before) await stage.writeKey(key);
  return {
    done: true,
    lines: [whatWasDone(before, key), ...(options.show ? [key] : []), '', ...nextStep(url, options)],
  };
}

const deploy = ({ flags }: SetupOptions): string => `  npm run deploy -- ${flags}`;

function whatWasDone(before: string | undefined, key: string): string {
  if (before === undefined) return 'The admin key was made.';
  return key === before
    ? 'The admin key is there already.'
    : 'The admin key was replaced; the old one stops within five minutes.';
}

function nextStep(url: string, { flags, show }: SetupOptions): string[] {
  return [
    ...(show ? [] : ['To see it:', `  npm run setup -- ${flags} --show`]),
    'Next, make a webhook; the answer holds the URL for the settings of your provider, this once:',
    `  curl ${url}/api/webhooks -H "authorization: Bearer $ADMIN_KEY" -H 'content-type: application/json' \\`,
    `    -d '{"kind": "receive", "provider": "sandbox", "name": "First"}'`,
    'docs/operations.md says where each provider asks for it.',
  ];
}
