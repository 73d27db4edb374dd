import { GraphQLScalarType, Kind, type ValueNode } from 'graphql'
import {
  GraphQLDateTime,
  GraphQLDuration,
  GraphQLEmailAddress,
  GraphQLJSON,
  GraphQLJSONObject,
  GraphQLPhoneNumber,
  GraphQLURL,
} from 'graphql-scalars'
import { createGraphQLError } from 'graphql-yoga'
import { isExactNumber } from '../domain/exact-number.ts'
import { builder } from './builder.ts'

/** What was checked when it was written is answered as it is kept; the library's own check would refuse or rewrite some of it. */
function asKept(scalar: GraphQLScalarType): GraphQLScalarType {
  return new GraphQLScalarType({ ...scalar.toConfig(), serialize: (value) => value })
}

/** Times as text: a date's own way into JSON takes three times as long. */
function asText(scalar: GraphQLScalarType): GraphQLScalarType {
  const serialize = (value: unknown): unknown => {
    const time = scalar.serialize(value)
    return time instanceof Date ? time.toISOString() : time
  }
  return new GraphQLScalarType({ ...scalar.toConfig(), serialize })
}

/** JSON whose literals in a document are held to the same rules as variables. */
function exactJson(scalar: GraphQLScalarType): GraphQLScalarType {
  const parseLiteral: typeof scalar.parseLiteral = (node, variables) => {
    const value = literalValue(node, variables ?? {})
    return scalar.parseValue(value)
  }
  return new GraphQLScalarType({ ...scalar.toConfig(), parseLiteral, serialize: (value) => value })
}

function literalValue(node: ValueNode, variables: Readonly<Record<string, unknown>>): unknown {
  switch (node.kind) {
    case Kind.OBJECT:
      return Object.fromEntries(node.fields.map(({ name, value }) => [memberName(name.value, node), literalValue(value, variables)]))
    case Kind.LIST:
      return node.values.map((value) => literalValue(value, variables))
    case Kind.INT:
    case Kind.FLOAT:
      if (!isExactNumber(node.value)) throw badLiteral('A number here cannot be carried exactly by JSON; send it as a string.', node)
      return Number(node.value)
    case Kind.VARIABLE:
      return variables[node.name.value]
    case Kind.NULL:
      return null
    default:
      return node.value
  }
}

function memberName(name: string, node: ValueNode): string {
  if (name === '__proto__') throw badLiteral('A key must not be __proto__.', node)
  return name
}

function badLiteral(message: string, node: ValueNode): Error {
  return createGraphQLError(message, { nodes: node, extensions: { code: 'BAD_USER_INPUT' } })
}

builder.addScalarType('DateTime', asText(GraphQLDateTime))
builder.addScalarType('Duration', GraphQLDuration)
builder.addScalarType('EmailAddress', asKept(GraphQLEmailAddress))
builder.addScalarType('JSON', exactJson(GraphQLJSON))
builder.addScalarType('JSONObject', exactJson(GraphQLJSONObject))
builder.addScalarType('PhoneNumber', asKept(GraphQLPhoneNumber))
builder.addScalarType('URL', asKept(GraphQLURL))
