import { PothosValidationError } from '@pothos/core'
import {
  GraphQLError,
  GraphQLInputObjectType,
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
} from 'graphql'
import { GraphQLEmailAddress, GraphQLJSON } from 'graphql-scalars'
import type { Context } from '../src/context.ts'
import { DomainError, RequestError } from '../src/domain/errors.ts'

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** A schema to try the HTTP side with: a type that holds itself, fields that take time, and fields that fail in each way. */
export function smallSchema(): GraphQLSchema & { calls: Map<string, number> } {
  const calls = new Map<string, number>()
  const called = (name: string) => calls.set(name, (calls.get(name) ?? 0) + 1)
  const User: GraphQLObjectType = new GraphQLObjectType({
    name: 'User',
    fields: () => ({
      id: { type: new GraphQLNonNull(GraphQLString), resolve: () => 'u1' },
      email: { type: GraphQLString, resolve: () => 'ada@example.com' },
      me: { type: User, resolve: () => ({}) },
    }),
  })
  const EchoInput = new GraphQLInputObjectType({
    name: 'EchoInput',
    fields: { email: { type: GraphQLEmailAddress }, count: { type: new GraphQLNonNull(GraphQLInt) }, text: { type: GraphQLString } },
  })
  const args = {
    text: { type: GraphQLString },
    json: { type: GraphQLJSON },
    input: { type: EchoInput },
    inputs: { type: new GraphQLList(EchoInput) },
  }
  const slow = (name: string) => ({
    type: GraphQLInt,
    args: { ms: { type: new GraphQLNonNull(GraphQLInt) } },
    resolve: async (_root: unknown, { ms }: { ms: number }) => {
      called(name)
      await sleep(ms)
      return ms
    },
  })
  const Query = new GraphQLObjectType<unknown, Context>({
    name: 'Query',
    fields: {
      me: { type: User, resolve: () => ({}) },
      echo: { type: GraphQLJSON, args, resolve: (_root, sent) => sent },
      caller: { type: GraphQLJSON, resolve: (_root, _args, { caller: { principal, ...rest } }) => ({ kind: principal.kind, ...rest }) },
      slow: slow('slow'),
      fails: {
        type: GraphQLString,
        args: { how: { type: new GraphQLNonNull(GraphQLString) }, text: { type: GraphQLString } },
        resolve: (_root, { how, text }: { how: string; text?: string }, context) => fail(how, text ?? '', context),
      },
      needed: {
        type: new GraphQLNonNull(GraphQLString),
        args: { how: { type: new GraphQLNonNull(GraphQLString) } },
        resolve: (_root, { how }, context) => fail(how, '', context),
      },
    },
  })
  const Mutation = new GraphQLObjectType({
    name: 'Mutation',
    fields: { touch: { type: GraphQLInt, resolve: () => called('touch').get('touch') }, slowTouch: slow('slowTouch') },
  })
  return Object.assign(new GraphQLSchema({ query: Query, mutation: Mutation }), { calls })
}

/** Fails with the text in every place where an error can hold one. */
async function fail(how: string, text: string, { app }: Context): Promise<string> {
  if (how === 'forbidden') throw new RequestError('FORBIDDEN', 'This needs more.', { requiredScopes: ['read:users'] })
  if (how === 'unauthenticated') throw new RequestError('UNAUTHENTICATED', 'This needs a token.')
  if (how === 'limited') throw new RequestError('RATE_LIMITED', 'Too often.', { retryAfterSeconds: 7 })
  if (how === 'domain') throw new DomainError('EMAIL_TAKEN', `taken: ${text}`, ['input', 'email'], {})
  if (how === 'pothos') throw new PothosValidationError(`Invalid cursor: ${text}`)
  if (how === 'graphql') throw new GraphQLError(`from a library: ${text}`)
  if (how === 'unavailable') throw Object.assign(new Error(`connect ECONNREFUSED ${text}`), { code: 'ECONNREFUSED' })
  if (how === 'prisma') await app.database.prisma.user.findUnique({ where: { id: `no uuid ${text}` } })
  if (how === 'sql') await app.database.prisma.$queryRaw`select ${text}::uuid`
  if (how === 'json') JSON.parse(`{ ${text}`)
  throw Object.assign(new Error('A bug of ours.', { cause: new SyntaxError(text) }), { detail: text })
}
