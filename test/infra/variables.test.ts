import { expect, test } from 'vitest';
import { resolveVariables } from '#infra/local/service.ts';

/** Written so that it does not look like a template literal with a forgotten backtick. */
const of = (expression: string) => `$${`{${expression}}`}`;

const sources = {
  stage: 'local',
  params: { many: 50 },
  file: (path: string) => ({ from: path, stage: of('sls:stage') }),
  self: (path: string) => ({ service: 'hookline', 'custom.size': 4 })[path],
};
test.each([
  { name: 'the stage', text: of('sls:stage'), value: 'local' },
  { name: 'a value of the file itself, of any type', text: of('self:custom.size'), value: 4 },
  {
    name: 'several in one text',
    text: `${of('self:service')}-${of('sls:stage')}-ticks`,
    value: 'hookline-local-ticks',
  },
  { name: 'another file, with its own variables', text: of('file(a.yml)'), value: { from: 'a.yml', stage: 'local' } },
  { name: 'the first alternative with a value', text: of("env:AWS_REGION, 'eu-central-1'"), value: 'eu-central-1' },
  { name: 'a parameter of a deployment', text: of('param:many, 5'), value: 50 },
  { name: 'a number in place of a parameter', text: of('param:few, 5'), value: 5 },
  { name: 'nothing in place of a parameter', text: of('param:few, null'), value: null },
  { name: "none of CloudFormation's", text: `arn:${of('AWS::Partition')}:x`, value: `arn:${of('AWS::Partition')}:x` },
])('resolves $name', ({ text, value }) => {
  expect(resolveVariables({ list: [text] }, sources)).toEqual({ list: [value] });
});

test('says which variable has no value', () => {
  expect(() => resolveVariables(of('self:nowhere'), sources)).toThrow('self:nowhere');
});
