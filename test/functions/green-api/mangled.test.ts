import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { greenApi } from '#functions/green-api/provider.ts';
import { sha256 } from '#lib/domain/ids.ts';
import { isProven } from '#lib/inbox/receive.ts';
import { junk, mangled } from '#test/support/mangled.ts';
import { documented, documentedContents } from './documented.ts';
import { answering, incoming } from './payloads.ts';

const flat = documentedContents.map(answering);
const payloads = mangled([incoming(), ...documented, ...flat, { receiptId: 17, body: incoming() }]);
const body = fc.oneof({ weight: 9, arbitrary: payloads }, junk);

describe('whatever is done to a payload of GREEN-API', () => {
  it('asking who sent it never throws, and a wrong token is never accepted', () => {
    fc.assert(
      fc.property(body, fc.option(fc.string(), { nil: undefined }), (sent, authorization) => {
        const delivery = { headers: { authorization }, body: new Uint8Array() };
        const proof = greenApi.proofOf?.(delivery, sent) ?? {};
        expect(isProven(proof, { secretHash: sha256('tok-123'), instance: '1' })).toBe(false);
      }),
    );
  });
});
