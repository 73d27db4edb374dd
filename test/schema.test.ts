import { readFileSync } from 'node:fs'
import SchemaBuilder from '@pothos/core'
import {
  buildSchema as buildFromText,
  type GraphQLNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
} from 'graphql'
import { expect, test } from 'vitest'
import { everyone } from '../src/graphql/access.ts'
import { accessPlugin } from '../src/graphql/access-plugin.ts'
import { cutToPublic } from '../src/graphql/public-schema.ts'
import { buildSchema, printSchema } from '../src/graphql/schema.ts'

const schema = buildSchema()
const text = printSchema(schema)

test('schema.graphql is what the code prints', () => {
  expect(readFileSync(new URL('../schema.graphql', import.meta.url), 'utf8')).toBe(text)
})

test('what is printed is a valid schema', () => {
  expect(() => buildFromText(text)).not.toThrow()
})

test('every type, field, argument, input field and enum value says what it is', () => {
  const silent = Object.values(schema.getTypeMap())
    .filter((type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type))
    .flatMap((type) => [...(type.description ? [] : [type.name]), ...undescribedMembers(type)])

  expect(silent).toEqual([])
})

test('a field that declares no access does not build', () => {
  const builder = new SchemaBuilder<object>({ plugins: [accessPlugin] } as never)
  builder.queryType({ fields: (t) => ({ secret: t.string({ resolve: () => '' }) }) })

  expect(() => builder.toSchema()).toThrow('Query.secret does not say who may read it')
})

test('an input field that declares no access does not build', () => {
  const builder = new SchemaBuilder<object>({ plugins: [accessPlugin] } as never)
  const Input = builder.inputType('Input', { fields: (t) => ({ secret: t.string() }) })
  builder.queryType({
    fields: (t) => ({ open: t.string({ access: everyone, args: { input: t.arg({ type: Input }) }, resolve: () => '' }) }),
  })

  expect(() => builder.toSchema()).toThrow('Input.secret does not say who may send it')
})

test('access is printed on what is restricted, and nowhere else', () => {
  expect(text).toContain('appMetadata: JSONObject @access(scopes: ["read:users_app_metadata"])')
  expect(text).toContain('userMetadata: JSONObject! @access(self: true, scopes: ["read:users"])')
  expect(text).toMatch(/\n {2}me: User\n/)
})

test('the public graph holds nothing that only scopes open, not even by name', () => {
  const cut = printSchema(cutToPublic(schema))

  for (const name of [
    'users(',
    'createUser(',
    'deleteUser',
    'blockUser',
    'restoreUser',
    'adminTokens',
    'createAdminToken',
    'appMetadata:',
    'UserWhere',
    'block:',
    'emailVerified: Boolean @access(scopes',
    'type AdminToken ',
  ])
    expect(cut).not.toContain(name)
  for (const name of ['me: User', 'updateUser(', 'userMetadata: JSONObject!', 'history(', 'serverInfo']) expect(cut).toContain(name)
})

function undescribedMembers(type: GraphQLNamedType): string[] {
  if (isEnumType(type))
    return type
      .getValues()
      .filter(({ description }) => !description)
      .map(({ name }) => `${type.name}.${name}`)
  if (isInputObjectType(type))
    return Object.values(type.getFields())
      .filter(({ description }) => !description)
      .map(({ name }) => `${type.name}.${name}`)
  if (!isObjectType(type) && !isInterfaceType(type)) return []
  return Object.values(type.getFields()).flatMap((field) => [
    ...(field.description ? [] : [`${type.name}.${field.name}`]),
    ...field.args.filter(({ description }) => !description).map(({ name }) => `${type.name}.${field.name}(${name}:)`),
  ])
}
