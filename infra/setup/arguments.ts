import { parseArgs } from 'node:util';

/** What was asked for on the command line; or the usage, with what is wrong where something is. */
export type Asked =
  | {
      readonly kind: 'setup';
      readonly stage: string;
      readonly region: string;
      readonly rotate: boolean;
      readonly show: boolean;
    }
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong'; readonly why: string };

export const USAGE = `npm run setup -- [--stage dev] [--region eu-central-1] [--rotate] [--show]

Makes the admin key of a deployed hub, and says what to do next. It may be run again at any time.

  --stage   the stage that was deployed, dev if not given
  --region  the region that it was deployed to, AWS_REGION if not given, else eu-central-1
  --rotate  replaces the key; the old one stops within five minutes
  --show    prints the key, alone on standard output: export ADMIN_KEY=$(npm run --silent setup -- --show)
`;

export function readArguments(args: readonly string[], regionOfShell: string | undefined): Asked {
  try {
    const { help, ...values } = parseArgs({ args: [...args], options: optionsIn(regionOfShell) }).values;
    return help ? { kind: 'help' } : { kind: 'setup', ...values };
  } catch (cause) {
    return { kind: 'wrong', why: cause instanceof Error ? cause.message : String(cause) };
  }
}

const optionsIn = (regionOfShell: string | undefined) =>
  ({
    stage: { type: 'string', default: 'dev' },
    // The same default as in serverless.yml.
    region: { type: 'string', default: regionOfShell || 'eu-central-1' },
    rotate: { type: 'boolean', default: false },
    show: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  }) as const;
