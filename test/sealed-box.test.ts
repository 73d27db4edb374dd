import { expect, test } from 'vitest'
import { seal, unseal } from '../src/crypto/sealed-box.ts'

const secret = 'a secret of more than thirty-two characters'

test('a box opens with its secret and context', () => {
  for (const text of ['', 'a', 'größe 🗝️', 'x'.repeat(100_000)]) expect(unseal(secret, seal(secret, text, 'key:1'), 'key:1')).toBe(text)
})

test('a box shows nothing of what is in it, and no two are alike', () => {
  const boxes = [seal(secret, 'the plain text', 'key:1'), seal(secret, 'the plain text', 'key:1')]

  expect(boxes[0]).toMatch(/^v1\.[A-Za-z0-9_-]+$/)
  expect(boxes[0]).not.toBe(boxes[1])
  expect(Buffer.from(boxes[0]?.slice(3) ?? '', 'base64url').includes('plain')).toBe(false)
})

test('another secret opens nothing', () => {
  expect(() => unseal(`${secret}.`, seal(secret, 'text', 'key:1'), 'key:1')).toThrow()
})

test('a box put in the place of another one does not open', () => {
  expect(() => unseal(secret, seal(secret, 'text', 'key:1'), 'key:2')).toThrow()
})

test('a box with any one byte changed does not open', () => {
  const box = Buffer.from(seal(secret, 'text', 'key:1').slice(3), 'base64url')

  for (const index of box.keys()) {
    const changed = Buffer.from(box)
    changed.writeUInt8(box.readUInt8(index) ^ 1, index)
    expect(() => unseal(secret, `v1.${changed.toString('base64url')}`, 'key:1')).toThrow()
  }
})

test('a box cut short, or of another version, does not open', () => {
  const box = seal(secret, 'text', 'key:1')

  for (const other of ['', 'v1.', 'text', box.slice(0, 30), box.slice(0, -4), box.replace('v1', 'v2'), `${box}.${box}`])
    expect(() => unseal(secret, other, 'key:1')).toThrow()
})
