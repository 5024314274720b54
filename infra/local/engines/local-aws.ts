/** What every part of the local AWS agrees on. The keys open nothing. */
export const localAws = {
  region: 'us-east-1',
  accountId: '000000000000',
  accessKeyId: 'local',
  secretAccessKey: 'local',
};

/** Calls an engine of this machine in AWS's JSON protocol. */
export async function callAws(
  endpoint: string,
  target: string,
  input: unknown,
  signal?: AbortSignal,
): Promise<{ readonly status: number; readonly output: unknown }> {
  const [service = ''] = target.toLowerCase().split(/[._]/);
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': target,
      // The engines read the region from it and check nothing.
      authorization: `AWS4-HMAC-SHA256 Credential=${localAws.accessKeyId}/20200101/${localAws.region}/${service}/aws4_request, SignedHeaders=host, Signature=0`,
      'x-amz-date': '20200101T000000Z',
    },
    body: JSON.stringify(input),
    ...(signal ? { signal } : {}),
  });
  return { status: response.status, output: await response.json() };
}
