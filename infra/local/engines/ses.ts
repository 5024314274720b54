import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { writeDurably } from '../data-folder.ts';
import { type Answered, type OwnEngine, serve } from './local-aws.ts';

const Content = v.object({ Data: v.string() });
/** What the hub sends, of all that SES takes. */
const Mail = v.object({
  FromEmailAddress: v.string(),
  Destination: v.object({ ToAddresses: v.pipe(v.array(v.string()), v.minLength(1), v.maxLength(50)) }),
  Content: v.object({
    Simple: v.object({
      Subject: v.pipe(
        Content,
        v.check(({ Data }) => !/[\r\n]/.test(Data), 'has a line end'),
      ),
      Body: v.object({ Text: Content }),
      Headers: v.optional(v.array(v.object({ Name: v.string(), Value: v.string() })), []),
      Attachments: v.optional(
        v.array(
          v.object({
            FileName: v.string(),
            ContentType: v.optional(v.string(), 'application/octet-stream'),
            RawContent: v.pipe(v.string(), v.base64()),
          }),
        ),
        [],
      ),
    }),
  }),
});
type Mail = v.InferOutput<typeof Mail>;
const Body = v.pipe(v.string(), v.parseJson(), Mail);

export interface SesEngine extends OwnEngine {
  readonly outbox: string;
}

/**
 * Where AWS sends mails, here is a folder: each mail is two files, as SES was handed it and as its reader would see it.
 * Without a folder it is one that goes with the engine.
 */
export async function startSes(folder?: string): Promise<SesEngine> {
  const outbox = folder ?? mkdtempSync(join(tmpdir(), 'hookline-outbox-'));
  const engine = await serve(async ({ method, url }, body) => {
    if (method !== 'POST' || url !== '/v2/email/outbound-emails') {
      return refusal(404, 'UnknownOperationException', `${method} ${url} is not offered here`);
    }
    const parsed = v.safeParse(Body, body);
    if (!parsed.success) return refusal(400, 'BadRequestException', v.summarize(parsed.issues));
    return { status: 200, output: { MessageId: keep(outbox, parsed.output) } };
  });
  const stop = () => engine.stop().finally(() => folder ?? rmSync(outbox, { recursive: true, force: true }));
  return { ...engine, outbox, stop };
}

/** For whoever opens the folder: an erasure does not reach what has left, and on one machine that lies here. */
const ABOUT = `# Mails of rules

Here lies what a deployed hub would have sent: each mail as JSON, as the mail service was handed it, and as readable text.
Nothing of it was sent to anybody.

**Erasing a person does not reach this folder**, nor does the retention: a mail holds what its rule has put into it, and
with \`attach\` the whole event. Delete what should not be kept; the hub reads nothing of it.
`;

function keep(outbox: string, mail: Mail): string {
  const id = randomUUID();
  // In the order of time, on every file system.
  const path = join(outbox, `${new Date().toISOString().replaceAll(':', '-')}-${id.slice(0, 8)}`);
  mkdirSync(outbox, { recursive: true, mode: 0o700 });
  if (!existsSync(join(outbox, 'README.md'))) writeDurably(join(outbox, 'README.md'), ABOUT);
  writeDurably(`${path}.json`, `${JSON.stringify({ MessageId: id, ...mail }, null, 2)}\n`);
  writeDurably(`${path}.txt`, readable(mail));
  return id;
}

function refusal(status: number, name: string, message: string): Answered {
  return { status, headers: { 'x-amzn-errortype': name }, output: { message } };
}

function readable({ FromEmailAddress, Destination, Content: { Simple } }: Mail): string {
  const headers = [
    `From: ${FromEmailAddress}`,
    `To: ${Destination.ToAddresses.join(', ')}`,
    `Subject: ${Simple.Subject.Data}`,
    ...Simple.Headers.map(({ Name, Value }) => `${Name}: ${Value}`),
  ];
  const attachments = Simple.Attachments.map(({ FileName, ContentType, RawContent }) => {
    const bytes = Buffer.from(RawContent, 'base64');
    const shown = /^text\/|json$/.test(ContentType) ? bytes.toString('utf8') : `${bytes.length} bytes`;
    return `--- ${FileName} (${ContentType})\n${shown}\n`;
  });
  return `${headers.join('\n')}\n\n${Simple.Body.Text.Data}\n\n${attachments.join('\n')}`;
}
