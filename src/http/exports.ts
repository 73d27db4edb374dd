import type { App } from '../app.ts'
import { readExport } from '../domain/export/read-export.ts'
import { bearerToken } from './bearer.ts'
import type { Route } from './exchange.ts'
import { requestRefusal } from './request-refusal.ts'

/** `GET /exports/:id`: the file that an export has written, sent as fast as the caller reads. */
export function createExportsRoute(app: App): Route {
  const { database, clock } = app
  return async ({ request }) => {
    const { authorization } = request.headers
    try {
      const principal = await app.authenticate(bearerToken(authorization ?? null))
      const id = (request.url ?? '').split('?', 1)[0]?.split('/').at(-1) ?? ''
      const { name, mediaType, bytes, content } = await readExport({ db: database.prisma, clock, principal }, id)
      const headers = {
        'Content-Type': mediaType,
        'Content-Length': String(bytes),
        'Content-Disposition': `attachment; filename="${name}"`,
        'Cache-Control': 'no-store',
      }
      return { status: 200, headers, ...(request.method === 'HEAD' ? {} : { body: content }) }
    } catch (error) {
      return requestRefusal(error, authorization !== undefined)
    }
  }
}
