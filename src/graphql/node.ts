import { everyone } from './access.ts'
import { builder } from './builder.ts'

/** Anything with an id of its own. */
export const Node = builder.interfaceRef<{ id: string }>('Node').implement({
  description: 'Anything with an id of its own.',
  fieldAccess: everyone,
  fields: (t) => ({ id: t.exposeID('id', { description: 'The UUID of the row.' }) }),
})
