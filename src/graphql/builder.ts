import SchemaBuilder from '@pothos/core'
import ComplexityPlugin from '@pothos/plugin-complexity'
import DirectivePlugin from '@pothos/plugin-directives'
import PrismaPlugin from '@pothos/plugin-prisma'
import RelayPlugin from '@pothos/plugin-relay'
import type { Context } from '../context.ts'
import type { Json } from '../domain/difference.ts'
import { RequestError } from '../domain/errors.ts'
import type { Metadata } from '../domain/metadata.ts'
import { readingPrices } from '../domain/user-filter/filter-price.ts'
import type PrismaTypes from '../generated/pothos.ts'
import { getDatamodel } from '../generated/pothos.ts'
import { everyone } from './access.ts'
import { accessPlugin } from './access-plugin.ts'
import { readingPrice } from './reading-price.ts'

/** What the graph is built with. */
export interface GraphTypes {
  Context: Context
  PrismaTypes: PrismaTypes
  DefaultFieldNullability: false
  DefaultEdgesNullability: false
  DefaultNodeNullability: false
  Directives: {
    access: {
      locations: 'FIELD_DEFINITION' | 'INPUT_FIELD_DEFINITION' | 'ARGUMENT_DEFINITION'
      args: { self?: boolean; scopes?: string[] }
    }
  }
  Connection: { totalCount: number | (() => Promise<number>) }
  Scalars: {
    ID: { Input: string; Output: string }
    DateTime: { Input: Date; Output: Date }
    Duration: { Input: string; Output: string }
    EmailAddress: { Input: string; Output: string }
    JSON: { Input: Json; Output: Json }
    JSONObject: { Input: Metadata; Output: Metadata }
    PhoneNumber: { Input: string; Output: string }
    URL: { Input: string; Output: string }
  }
}

type Types = PothosSchemaTypes.ExtendDefaultTypes<GraphTypes>
/** Builds the fields of an object that is made of this shape. */
export type ObjectFieldBuilder<Shape> = PothosSchemaTypes.ObjectFieldBuilder<Types, Shape>
/** Builds the fields of an input. */
export type InputObjectFieldBuilder = PothosSchemaTypes.InputFieldBuilder<Types, 'InputObject'>

/** The price of the dearest operation: about a page of 250 users with all they have. A field costs 1, a page its size times its fields. */
export const maxComplexity = 10_000
/** How deeply fields may nest. */
export const maxDepth = 12

/** The schema builder. It defines no types; the noun files beside it do. */
export const builder = new SchemaBuilder<GraphTypes>({
  plugins: [RelayPlugin, ComplexityPlugin, accessPlugin, PrismaPlugin, DirectivePlugin],
  defaultFieldNullability: false,
  directives: { useGraphQLToolsUnorderedDirectives: true },
  relay: {
    cursorType: 'String',
    nodeQueryOptions: false,
    nodesQueryOptions: false,
    nodesOnConnection: { description: 'The entries themselves.' },
    edgesFieldOptions: { nullable: false, description: 'The entries with their cursors.' },
    nodeFieldOptions: { nullable: false, description: 'The entry itself.' },
    cursorFieldOptions: { description: 'Where the entry stands in this list in this order, to go on from.' },
    pageInfoFieldOptions: { description: 'Where the page stands in its list.' },
    hasNextPageFieldOptions: { description: 'Whether the list goes on after the page.' },
    hasPreviousPageFieldOptions: { description: 'Whether the list begins before the page.' },
    startCursorFieldOptions: { description: 'The cursor of the first entry; null on an empty page.' },
    endCursorFieldOptions: { description: 'The cursor of the last entry; null on an empty page.' },
    firstArgOptions: { description: 'The size of the page, from its start: 50 unless given, 250 at most.' },
    afterArgOptions: { description: 'The page starts after this cursor.' },
    lastArgOptions: { description: 'The size of the page, from its end.' },
    beforeArgOptions: { description: 'The page ends before this cursor.' },
    defaultConnectionTypeOptions: { fieldAccess: everyone, description: 'A page of a list.' },
    defaultEdgeTypeOptions: { fieldAccess: everyone, description: 'One entry of a page.' },
    pageInfoTypeOptions: { fieldAccess: everyone, description: 'Where a page stands in its list.' },
  },
  complexity: {
    defaultComplexity: 1,
    defaultListMultiplier: 1,
    limit: ({ app, counts }: Context) => ({
      complexity: maxComplexity - readingPrice(app, counts * readingPrices.count),
      depth: maxDepth,
    }),
    complexityError: (kind, { depth, maxDepth: most = maxDepth, complexity, maxComplexity: left = maxComplexity }) => {
      // What the counts cost has been taken from what is left.
      const [limit, actual] = kind === 'Depth' ? [most, depth] : [maxComplexity, complexity + maxComplexity - left]
      const advice = 'Ask for smaller pages or fewer fields, count fewer lists, or filter by what an index serves.'
      return new RequestError(
        'QUERY_TOO_COMPLEX',
        `The operation's ${kind.toLowerCase()} is ${actual}; at most ${limit} is answered. ${advice}`,
        {
          limit,
          actual,
        },
      )
    },
  },
  prisma: {
    client: (context) => context.app.database.prisma,
    dmmf: getDatamodel(),
    exposeDescriptions: { models: true, fields: true },
    filterConnectionTotalCount: true,
    defaultConnectionSize: 50,
    maxConnectionSize: 250,
  },
})

builder.queryType({ description: 'What can be read.' })
builder.subscriptionType({ description: 'What is told while it happens, over Server-Sent Events.' })
builder.mutationType({ description: 'What can be changed. Each mutation is one transaction and writes one audit event.' })
