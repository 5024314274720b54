import { serve } from '#infra/local/engines/local-aws.ts';

/** A program as a user of the hub has one: it is told what happens, and says thanks; but for one path, which is broken. */
export async function listen() {
  let taken = 0;
  const { endpoint, stop } = await serve(async ({ url }) => {
    if (url === '/broken') return { status: 500, output: { error: 'the disk is full' } };
    taken += 1;
    return { status: 200, output: { booked: true } };
  });
  return { url: endpoint, stop, /** How many notices. */ taken: () => taken };
}
