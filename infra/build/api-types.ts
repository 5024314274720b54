/**
 * Writes the types of the API for the console, made from the API's own document. They are not committed: what checks
 * the console's types makes them first.
 */
import { writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { openApi } from '#functions/admin/openapi.ts';
import { namesOf, routesOf } from '#functions/admin/routes.ts';
import { providers } from '#functions/providers.ts';

// The generator prints by the compiler's older interface, which the compiler of this project no longer has.
registerHooks({ resolve: (name, context, next) => next(name === 'typescript' ? 'typescript-api' : name, context) });
const { default: generate, astToString } = await import('openapi-typescript');

const document = openApi(routesOf(providers), namesOf(providers), '');
const types = astToString(await generate(JSON.stringify(document), { emptyObjectsUnknown: true }));
writeFileSync(
  'functions/admin/console/api-types.d.ts',
  `// Made by \`npm run types\` from the API's own document.\n${types}`,
);
