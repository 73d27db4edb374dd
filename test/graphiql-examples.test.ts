import { parse, validate } from 'graphql'
import { describe, expect, test } from 'vitest'
import { assertWithinLimits } from '../src/graphql/limits.ts'
import { buildSchema } from '../src/graphql/schema.ts'
import { graphiqlExamples } from '../src/http/graphiql-examples.ts'

describe('the operations that GraphiQL opens with', () => {
  const schema = buildSchema()

  test.each(graphiqlExamples.map((example) => [/(?:query|mutation) (\w+)/.exec(example.query)?.[1], example] as const))(
    '%s is valid',
    (_name, { query, variables }) => {
      const document = parse(query)
      expect(validate(schema, document)).toEqual([])
      assertWithinLimits(document, new Set())
      expect(() => JSON.parse(variables ?? '{}')).not.toThrow()
    },
  )
})
