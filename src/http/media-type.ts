/** What GraphQL answers are written as. */
export type MediaType = 'application/graphql-response+json' | 'application/json'

const offered: readonly MediaType[] = ['application/graphql-response+json', 'application/json']

/**
 * Chooses by an Accept header (RFC 9110 §12.5.1); null when it takes neither. GraphQL's own type has to be named: whoever takes
 * anything, or says nothing, gets `application/json`, as GraphQL over HTTP recommends.
 */
export function chooseMediaType(accept: string | undefined): MediaType | null {
  if (accept === undefined || accept.trim() === '') return 'application/json'
  const ranges = accept.split(',').map(parseRange)
  const named = offered.map((type) => ({ type, weight: ranges.find((range) => range.type === type)?.weight ?? null }))
  const wild = ranges.find(({ type }) => type === 'application/*') ?? ranges.find(({ type }) => type === '*/*')
  const best = named.filter(({ weight }) => weight !== null && weight > 0).sort((a, b) => (b.weight ?? 0) - (a.weight ?? 0))[0]
  if (best) return best.type
  const isRefused = named.some(({ type, weight }) => type === 'application/json' && weight === 0)
  return wild && wild.weight > 0 && !isRefused ? 'application/json' : null
}

/** Whether the Content-Type is JSON in UTF-8, the only kind of body that is read. */
export function isJson(contentType: string | undefined): boolean {
  const [type, ...parameters] = (contentType ?? '').split(';').map((part) => part.trim().toLowerCase())
  return type === 'application/json' && parameters.every((parameter) => ['', 'charset=utf-8', 'charset="utf-8"'].includes(parameter))
}

function parseRange(text: string): { type: string; weight: number } {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))
  if (charset !== undefined && !/^charset="?utf-?8"?$/.test(charset)) return { type, weight: 0 }
  const weight = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1)
  return { type, weight: Number.isNaN(weight) ? 0 : weight }
}
