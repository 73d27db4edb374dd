import { type GraphQLInputType, getNullableType, isEnumType, isInputObjectType, isListType, isObjectType } from 'graphql'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { type Answer, boot, type Harness } from './harness.ts'
import { isRequired, sample } from './sample.ts'

/** What is tried is tried whole, however often. */
const limits = [
  'signIn.account',
  'signIn.accountDaily',
  'signIn.accountAndNetwork',
  'signIn.network',
  'signUp.network',
  'mail.address',
  'mail.network',
]
  .map((budget) => `${budget}=99999/60`)
  .join()

let harness: Harness
let token: string

beforeAll(async () => {
  harness = await boot({ RATE_LIMITS: limits })
})
beforeEach(async () => {
  await harness.reset()
  token = await harness.adminToken('admin')
})

const nested = (levels: number): unknown => Array.from({ length: levels }).reduce((inner) => ({ a: inner }), 1 as unknown)

/** Raw JSON texts, since some of them no JavaScript value can stand for. */
const hazards: Readonly<Record<string, string>> = {
  NUL: '"a\\u0000b"',
  'a lone high surrogate': '"a\\ud800b"',
  'a lone low surrogate': '"a\\udc00b"',
  'a byte order mark': '"\\ufeffjane"',
  'a megabyte': `"${'x'.repeat(1_000_000)}"`,
  '50 kB': `"${'x'.repeat(50_000)}"`,
  '65 levels': JSON.stringify(nested(65)),
  '40 levels': JSON.stringify(nested(40)),
  'a __proto__ key': '{"__proto__": {"polluted": 1}}',
  constructor: '{"constructor": {"prototype": {"polluted": 1}}}',
  'a huge number': '12345678901234567890',
  'a number beyond doubles': '1e400',
  'a negative number': '-1',
  'minus zero': '-0',
  'a fraction': '0.5',
  true: 'true',
  null: 'null',
  'an empty object': '{}',
  'an empty list': '[]',
  'a list of null': '[null]',
  'an empty text': '""',
  blanks: '"   "',
  'an odd date': '"2023-02-30T25:61:00Z"',
  'a far date': '"+275760-09-13T00:00:00.000Z"',
  'a date before the era': '"-000001-01-01T00:00:00Z"',
  SQL: '"\'; drop table roster.users; --"',
  'LIKE wildcards': '"%_\\\\%"',
  'a pointer': '"/a~2b/-1/~"',
  Lucene: '"((( AND OR NOT [* TO \\"x"',
  'a right-to-left override': '"\\u202eadmin@example.com"',
}

/** Every place in the arguments of every root field where a value goes, as a document with one variable. */
function places(): { name: string; document: string; value: (hazard: string) => string }[] {
  return [harness.app.schema.getQueryType(), harness.app.schema.getMutationType()].flatMap((root) =>
    Object.values(root?.getFields() ?? {}).flatMap((field) =>
      field.args.flatMap((arg) => {
        const required = field.args
          .filter((other) => other !== arg && isRequired(other))
          .map((other) => `${other.name}: ${JSON.stringify(sample(other.type))}`)
        const args = [...required, `${arg.name}: $value`].join(', ')
        const selection = isObjectType(root) && root.name === 'Mutation' ? '{ errors { code message path } }' : '{ __typename }'
        const document = `${root?.name === 'Mutation' ? 'mutation' : 'query'}($value: ${arg.type}) { ${field.name}(${args}) ${selection} }`
        return leaves(arg.type, `${field.name}.${arg.name}`, 0).map(({ name, wrap }) => ({ name, document, value: wrap }))
      }),
    ),
  )
}

type Leaf = { name: string; wrap: (hazard: string) => string }

/** Every member an input can have, and the input itself, as a text with the hazard in that place. */
function leaves(type: GraphQLInputType, name: string, depth: number): Leaf[] {
  const here: Leaf = { name, wrap: (hazard) => hazard }
  const nullable = getNullableType(type) as GraphQLInputType
  if (isListType(nullable))
    return [
      here,
      ...leaves(nullable.ofType, `${name}[]`, depth).map((leaf) => ({
        name: leaf.name,
        wrap: (hazard: string) => `[${leaf.wrap(hazard)}]`,
      })),
    ]
  if (!isInputObjectType(nullable) || depth > 2) return isEnumType(nullable) || !isInputObjectType(nullable) ? [here] : []
  const fields = Object.values(nullable.getFields())
  return [
    here,
    ...fields.flatMap((field) => {
      const others = nullable.isOneOf
        ? []
        : fields
            .filter((other) => other !== field && isRequired(other))
            .map((other) => `${JSON.stringify(other.name)}: ${JSON.stringify(sample(other.type))}`)
      return leaves(field.type, `${name}.${field.name}`, depth + 1).map((leaf) => ({
        name: leaf.name,
        wrap: (hazard: string) => `{${[...others, `${JSON.stringify(field.name)}: ${leaf.wrap(hazard)}`].join(', ')}}`,
      }))
    }),
  ]
}

function verdict({ status, data, errors }: Answer): string | null {
  const codes = (errors ?? []).map(({ extensions }) => String(extensions?.['code']))
  if (status >= 500 || codes.includes('INTERNAL_SERVER_ERROR') || codes.includes('SERVICE_UNAVAILABLE')) return `${status} ${codes.join()}`
  if (codes.includes('undefined')) return `an error without a code: ${errors?.[0]?.message}`
  if (errors === undefined && (data === null || data === undefined)) return `${status} without data`
  return null
}

test.each(Object.keys(hazards))(
  '%s in any argument is answered clearly, and never with a 5xx',
  async (name) => {
    const hazard = hazards[name] ?? ''
    const failures: string[] = []
    for (const place of places()) {
      const answer = await harness.post(`{"query": ${JSON.stringify(place.document)}, "variables": {"value": ${place.value(hazard)}}}`, {
        token,
      })
      const problem = verdict(answer)
      if (problem !== null) failures.push(`${place.name}: ${problem}`)
    }

    expect(failures).toEqual([])
    expect(places().length).toBeGreaterThan(140)
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    expect(await harness.admin('{ serverInfo { version } }')).toMatchObject({ serverInfo: {} })
  },
  120_000,
)

test('whatever was kept is kept as it was sent', async () => {
  const bag = {
    'unicode ﬁ İ K': '👩‍👩‍👧 e\u0301 é',
    numbers: [0.1, 1e-7, 9007199254740991, -5.5, 1e21],
    nothing: null,
    empty: {},
    list: [[]],
    '%_\\': "'; --",
  }
  const created = (await harness.admin(
    'mutation($input: CreateUserInput!) { createUser(input: $input) { user { userMetadata profile { name nickname } } errors { message } } }',
    {
      input: { userMetadata: bag, profile: { name: '  Zoë  \u202d', nickname: '\ufeffx' } },
    },
  )) as { createUser: { user: unknown } }

  expect(created.createUser.user).toEqual({ userMetadata: bag, profile: { name: '  Zoë  \u202d', nickname: '\ufeffx' } })
})
