import { hubUrl, Refusal } from './api.ts';
import { texts } from './texts.ts';

/** As the API's document writes what a body may hold; of it, what this reads. */
export interface Schema {
  /** Where it stands by name, among those of the document. */
  readonly $ref?: string;
  readonly oneOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly const?: string;
  readonly enum?: readonly (string | number)[];
  readonly type?: string;
}

export interface WayField {
  readonly name: string;
  readonly required: boolean;
  readonly isSecret: boolean;
  /** Left out where it is free. */
  readonly choices?: readonly (string | number)[];
}

/** One way of connecting an account: what a provider asks for on a channel. */
export interface Way {
  readonly provider: string;
  readonly channel: string;
  /** What tells it from other ways of the same provider and channel. */
  readonly fixed: Readonly<Record<string, string>>;
  readonly fields: readonly WayField[];
}

/** All ways that the body of a new account leaves open, so that a provider that is added shows by itself. */
export function waysIn({ $ref, ...schema }: Schema, named: Named): readonly Way[] {
  if ($ref !== undefined) return waysIn(named[$ref.slice($ref.lastIndexOf('/') + 1)] ?? {}, named);
  if (schema.oneOf) return schema.oneOf.flatMap((one) => waysIn(one, named));
  const { provider, channel, credentials } = schema.properties ?? {};
  return (channel?.enum ?? []).flatMap((one) =>
    (credentials?.oneOf ?? [credentials ?? {}]).map((variant) => ({
      provider: provider?.const ?? '',
      channel: String(one),
      ...credentialsIn(variant),
    })),
  );
}

function credentialsIn({ properties = {}, required = [] }: Schema): Pick<Way, 'fixed' | 'fields'> {
  const named = Object.entries(properties);
  return {
    fixed: Object.fromEntries(named.flatMap(([name, schema]) => (schema.const ? [[name, schema.const]] : []))),
    fields: named.flatMap(([name, schema]) =>
      schema.const === undefined
        ? [
            {
              name,
              required: required.includes(name),
              isSecret: /secret|token/i.test(name),
              ...(schema.enum && { choices: schema.enum }),
            },
          ]
        : [],
    ),
  };
}

type Named = Readonly<Record<string, Schema>>;

interface ApiDocument {
  readonly components: { readonly schemas: Named };
}

/** From the document of this hub, which knows its providers. The sandbox comes first: it needs nothing. */
export async function loadWays(): Promise<readonly Way[]> {
  const response = await fetch(`${hubUrl()}/openapi.json`);
  if (!response.ok) throw new Refusal(response.status, texts.accounts.noDocument);
  const document: ApiDocument = await response.json();
  const { schemas } = document.components;
  const ways = waysIn(schemas.NewAccount ?? {}, schemas);
  return ways.toSorted((a, b) => Number(b.provider === 'sandbox') - Number(a.provider === 'sandbox'));
}
