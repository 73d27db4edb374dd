import { printSchemaWithDirectives } from '@graphql-tools/utils'
import {
  DirectiveLocation,
  GraphQLBoolean,
  GraphQLDirective,
  GraphQLList,
  GraphQLNonNull,
  GraphQLSchema,
  GraphQLString,
  lexicographicSortSchema,
} from 'graphql'
import { builder } from './builder.ts'
import './admin-token.ts'
import './export-users.ts'
import './import-users.ts'
import './job-mutations.ts'
import './job-progress.ts'
import './links.ts'
import './connection-mutations.ts'
import './identity-mutations.ts'
import './merge-users.ts'
import './diagnostics.ts'
import './exchange-code.ts'
import './node-queries.ts'
import './scalars.ts'
import './server-info.ts'
import './session-mutations.ts'
import './sign-in.ts'
import './sign-in-with-id-token.ts'
import './sign-up.ts'
import './user-lists.ts'
import './user-mutations.ts'
import './user-queries.ts'
import './users.ts'

const accessDirective = new GraphQLDirective({
  name: 'access',
  description:
    'Who may read a field or send an input. `self`: the user whose record it is. `scopes`: any token that holds one of them. Neither: everybody. Printed on every field and input field that is restricted.',
  locations: [DirectiveLocation.FIELD_DEFINITION, DirectiveLocation.INPUT_FIELD_DEFINITION, DirectiveLocation.ARGUMENT_DEFINITION],
  args: {
    self: { type: new GraphQLNonNull(GraphQLBoolean), defaultValue: false },
    scopes: { type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(GraphQLString))), defaultValue: [] },
  },
})

/** Builds the whole graph. @throws when a field declares no access */
export function buildSchema(): GraphQLSchema {
  const config = builder.toSchema({ sortSchema: false }).toConfig()
  return new GraphQLSchema({ ...config, directives: [...config.directives, accessDirective] })
}

/** The schema as text, sorted, with `@access` on what is restricted: what schema.graphql holds. */
export function printSchema(schema: GraphQLSchema): string {
  return `${printSchemaWithDirectives(lexicographicSortSchema(schema), { pathToDirectivesInExtensions: ['directives'] })}\n`
}
