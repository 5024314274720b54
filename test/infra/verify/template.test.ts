import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildFunctions } from '#infra/build/bundle.ts';
import { packageStage, templateIn } from '#infra/verify/packaging.ts';
import { ruleFaults } from '#infra/verify/rules.ts';
import { loadSpecification, specificationFaults } from '#infra/verify/specification.ts';
import type { Template } from '#infra/verify/template.ts';
import { accessFaults } from './access-faults.ts';
import { alarmFaults } from './alarm-faults.ts';
import { environmentFaults } from './environment-faults.ts';
import { offFaults } from './off-faults.ts';
import { plantedFaults } from './planted-faults.ts';
import { repetitionFaults } from './repetition-faults.ts';
import { roleFaults } from './role-faults.ts';

const folder = mkdtempSync(join(tmpdir(), 'hookline-template-'));
let template: Template;

beforeAll(async () => {
  await buildFunctions({ functions: 'functions', dist: 'dist' });
  await packageStage('prod', folder);
  template = templateIn(folder);
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true }));

const specification = loadSpecification();
const faultsOf = (one: Template) => [...specificationFaults(one, specification), ...ruleFaults(one)];

test('finds nothing wrong with ours', () => {
  expect(Object.keys(template.Resources).length).toBeGreaterThan(80);
  expect(faultsOf(template)).toEqual([]);
});

test.each([
  ...plantedFaults,
  ...accessFaults,
  ...alarmFaults,
  ...environmentFaults,
  ...offFaults,
  ...roleFaults,
  ...repetitionFaults,
])('finds $name', ({ plant, found }) => {
  const faulty = structuredClone(template);
  plant(faulty.Resources);
  expect(faultsOf(faulty).join('\n')).toMatch(found);
});
