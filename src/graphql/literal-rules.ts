import {
  GraphQLError,
  type ListValueNode,
  type ObjectValueNode,
  type StringValueNode,
  specifiedRules,
  type ValidationContext,
  type ValidationRule,
  ValuesOfCorrectTypeRule,
} from 'graphql'

/**
 * The rules of the specification, with two changes: text that PostgreSQL cannot store is refused, and a literal of the wrong type
 * is told by the type it should have had. graphql-js quotes the literal, which may be a password.
 */
export const validationRules: readonly ValidationRule[] = [
  ...specifiedRules.map((rule) => (rule === ValuesOfCorrectTypeRule ? quietValuesOfCorrectType : rule)),
  storableText,
  shallowLiterals,
]

/** As deep as the JSON of a body may be. */
const maxLiteralDepth = 64

function storableText(context: ValidationContext): { StringValue: (node: StringValueNode) => void } {
  return {
    StringValue: (node) => {
      if (node.value.includes('\0')) context.reportError(new GraphQLError('Text must not hold NUL.', { nodes: node }))
    },
  }
}

function shallowLiterals(context: ValidationContext): ReturnType<ValidationRule> {
  let depth = 0
  const enter = (node: ListValueNode | ObjectValueNode): void => {
    depth += 1
    if (depth === maxLiteralDepth + 1)
      context.reportError(new GraphQLError(`A literal may nest ${maxLiteralDepth} levels deep at most.`, { nodes: node }))
  }
  const leave = (): void => {
    depth -= 1
  }
  return { ListValue: { enter, leave }, ObjectValue: { enter, leave } }
}

/** Messages that name fields and types only. */
const namesOnly = /^(Field "|OneOf Input Object "|Variable ")/

function quietValuesOfCorrectType(context: ValidationContext): ReturnType<ValidationRule> {
  const reportError = (error: GraphQLError): void => {
    if (namesOnly.test(error.message) || error.extensions['code'] === 'BAD_USER_INPUT') context.reportError(error)
    else context.reportError(new GraphQLError(`Expected a value of type "${context.getInputType()}".`, { nodes: error.nodes ?? [] }))
  }
  return ValuesOfCorrectTypeRule(Object.create(context, { reportError: { value: reportError } }) as ValidationContext)
}

/**
 * A syntax error without what was found at its place: "Expected Name, found String." The place itself is in `locations`.
 */
export function quietSyntaxError(error: GraphQLError): GraphQLError {
  const message = error.message.replace(/((?:found|Unexpected) (?:[A-Za-z]+)) ".*"\.$/s, '$1.')
  return new GraphQLError(message, { source: error.source, positions: error.positions, extensions: { code: 'BAD_USER_INPUT' } })
}
