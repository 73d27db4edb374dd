import {
  type GraphQLArgument,
  type GraphQLInputField,
  type GraphQLInputType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
} from 'graphql'

const scalars: Readonly<Record<string, unknown>> = {
  ID: '0190a5b2-0000-7000-8000-000000000000',
  String: 'sample',
  Int: 1,
  Float: 1,
  Boolean: true,
  DateTime: '2030-01-01T00:00:00.000Z',
  Duration: 'P1D',
  JSON: 'sample',
  JSONObject: {},
}

/** A value that the type accepts: the least that is required of it. */
export function sample(type: GraphQLInputType): unknown {
  const nullable = getNullableType(type) as GraphQLInputType
  if (isListType(nullable)) return [sample(nullable.ofType)]
  if (isEnumType(nullable)) return nullable.getValues()[0]?.name
  if (isInputObjectType(nullable)) {
    const fields = Object.values(nullable.getFields())
    return Object.fromEntries(
      (nullable.isOneOf ? fields.slice(0, 1) : fields.filter(isRequired)).map((field) => [field.name, sample(field.type)]),
    )
  }
  return scalars[(nullable as { name: string }).name] ?? 'sample'
}

export function isRequired({ type, defaultValue }: GraphQLInputField | GraphQLArgument): boolean {
  return isNonNullType(type) && defaultValue === undefined
}
