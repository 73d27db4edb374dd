import type { ObjectRef } from '@pothos/core'
import { builder, type GraphTypes } from './builder.ts'

type Types = PothosSchemaTypes.ExtendDefaultTypes<GraphTypes>

/** The Relay connection of a type: `<Type>Connection` with `edges`, `nodes`, `pageInfo` and `totalCount`. */
export function connectionOf<Shape>(type: ObjectRef<Types, Shape>, name: string, description: string) {
  return builder.connectionObject(
    {
      type,
      name: `${name}Connection`,
      description,
      fields: (t) => ({
        totalCount: t.int({
          description: 'How many there are in all; counted only if asked for.',
          resolve: ({ totalCount }) => (typeof totalCount === 'function' ? totalCount() : totalCount),
        }),
      }),
    },
    { name: `${name}Edge` },
  )
}
