import { MapperKind, mapSchema, pruneSchema } from '@graphql-tools/utils'
import type { GraphQLSchema } from 'graphql'
import { accessOf, isRestricted } from './access.ts'

/** The graph cut to what users and the public can reach: what only scopes open is not in it, not even by name. */
export function cutToPublic(schema: GraphQLSchema): GraphQLSchema {
  const cut = mapSchema(schema, {
    [MapperKind.OBJECT_FIELD]: (field) => (isPublic(field) ? field : null),
    [MapperKind.INPUT_OBJECT_FIELD]: (field) => (isPublic(field) ? field : null),
  })
  return pruneSchema(cut)
}

function isPublic(element: { extensions?: unknown }): boolean {
  const access = accessOf(element)
  return access.self || !isRestricted(access)
}
