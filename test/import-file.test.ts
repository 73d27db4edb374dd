import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { boot, type Harness } from './harness.ts'
import { importFile, ndjson, requestImport, upload } from './imports.ts'

let harness: Harness

beforeAll(async () => {
  harness = await boot({ UPLOAD_MAX_BYTES: '3000000' })
})
beforeEach(() => harness.reset())

const db = () => harness.app.database.prisma

describe('files that are not as they should be', () => {
  const expectFailure = async (content: string | Buffer, format: string) => {
    const { status, inserted, errors } = await importFile(harness, content, { format })
    return [status, inserted, errors.nodes.map(({ line, code }) => [line, code])]
  }

  test('a byte order mark is dropped, and so are blank lines and carriage returns', async () => {
    expect(await expectFailure(`\ufeff{"email":"a@example.com"}\r\n\r\n  {"email":"b@example.com"}\r\n`, 'ROSTER_NDJSON')).toEqual([
      'SUCCEEDED',
      2,
      [],
    ])
  })

  test('UTF-16 and what is compressed are refused as a whole, and other encodings by the line', async () => {
    expect(await expectFailure(Buffer.from('\ufeff{"email":"a@example.com"}', 'utf16le'), 'ROSTER_NDJSON')).toEqual([
      'FAILED',
      0,
      [[1, 'INVALID_ENCODING']],
    ])
    expect(await expectFailure(Buffer.from('{"email":"a@example.com"}', 'utf16le'), 'ROSTER_NDJSON')).toEqual([
      'FAILED',
      0,
      [[1, 'INVALID_ENCODING']],
    ])
    expect(await expectFailure(Buffer.from([0x1f, 0x8b, 8, 0, 0, 0]), 'AUTH0')).toEqual(['FAILED', 0, [[1, 'INVALID_ENCODING']]])
    const latin1 = Buffer.from('{"email":"a@example.com"}\n{"email":"b@example.com","profile":{"name":"J\u00fcrgen"}}\n', 'latin1')
    expect(await expectFailure(latin1, 'ROSTER_NDJSON')).toEqual(['SUCCEEDED', 1, [[2, 'INVALID_ENCODING']]])
  })

  test('one that the database refuses amidst a megabyte of others is found, and the others go in', async () => {
    await harness.admin('mutation { createUser(input: { email: "user0@example.com" }) { user { id } } }')
    const people = Array.from({ length: 400 }, (_, index) => ({
      email: `user${index}@example.com`,
      userMetadata: { text: `${index} `.repeat(600) },
    }))

    expect(await importFile(harness, ndjson(...people), { format: 'ROSTER_NDJSON' })).toMatchObject({
      ...{ status: 'SUCCEEDED', inserted: 399, failed: 1, errors: { nodes: [{ line: 1, code: 'DUPLICATED_USER', path: 'email' }] } },
    })
    expect(await db().user.count({ where: { userMetadata: { not: {} } } })).toBe(399)
  })

  test('an oversized line is refused, and those after it are read', async () => {
    const file = `{"email":"a@example.com"}\n{"email":"b@example.com","x":"${'x'.repeat(1_100_000)}"}\n{"email":"c@example.com"}\n`

    expect(await expectFailure(file, 'ROSTER_NDJSON')).toEqual(['SUCCEEDED', 2, [[2, 'MAX_LENGTH']]])
    expect(
      await expectFailure(`[{"email":"d@example.com"},\n{"email":"${'x'.repeat(1_100_000)}"},{"email":"e@example.com"}]`, 'AUTH0'),
    ).toEqual(['SUCCEEDED', 2, [[2, 'MAX_LENGTH']]])
  })

  test.each([
    ['ROSTER_NDJSON', '{"email":"a@example.com"}\n{"email":"b@exam'],
    ['AUTH0', '[{"email":"a@example.com"},\n{"email":"b@exam'],
    ['AUTH0', '[{"email":"a@example.com"},\n'],
    ['CSV', 'email,username\na@example.com,a\nb@exam'],
    ['CSV', 'email,username\na@example.com,a\nb@example.com,"b'],
  ])('a file of %s that is cut off says where, and what came before is kept', async (format, content) => {
    expect(await expectFailure(content, format)).toEqual(['FAILED', 1, [[expect.any(Number), 'TRUNCATED_FILE']]])
  })

  test('an empty file is an import of nobody', async () => {
    for (const format of ['ROSTER_NDJSON', 'CSV', 'AUTH0', 'SUPABASE'])
      expect(await expectFailure(format === 'AUTH0' ? '[]' : '', format)).toEqual(['SUCCEEDED', 0, []])
  })
})

describe('uploads', () => {
  test('are for import:users, of a size that is allowed, and whole', async () => {
    const token = await harness.adminToken('import:users')
    const status = async (token: string, content: BodyInit) => (await upload(harness, token, content)).status

    expect(await status('', 'x')).toBe(401)
    expect(await status(await harness.adminToken('read:users'), 'x')).toBe(403)
    expect(await status(token, 'x'.repeat(3_000_001))).toBe(413)
    const stream = new ReadableStream({
      pull: (controller) => controller.enqueue(new TextEncoder().encode('x'.repeat(1_000_000))),
    })
    expect(await status(token, stream).catch(() => 413)).toBe(413)
    expect(await db().upload.count({ where: { completedAt: { not: null } } })).toBe(0)
    await expect(requestImport(harness, token, { format: 'CSV', upload: (await db().upload.findFirstOrThrow()).id })).rejects.toThrow(
      'UPLOAD_NOT_FOUND',
    )
    await expect(requestImport(harness, token, { format: 'CSV', upload: 'x' })).rejects.toThrow('UPLOAD_NOT_FOUND')
  })
})
