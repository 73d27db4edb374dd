import bcrypt from 'bcryptjs'

/** The password of those hashes that do not name one. */
export const password = 'correct horse é'

type Example = Readonly<{ what: string; custom: object; password?: string; strength: 'weak' | 'strong' }>

const hashed = (algorithm: string, value: string, more: object = {}) => {
  const encoding = /^[0-9a-f]+$/i.test(value) ? 'hex' : 'base64'
  return { algorithm, hash: { value, encoding }, ...more }
}
const text = (algorithm: string, value: string, more: object = {}) => ({ algorithm, hash: { value, encoding: 'utf8' }, ...more })
const hmac = (digest: string, value: string, key: object) => ({ algorithm: 'hmac', hash: { value, encoding: 'hex', digest, key } })

/** Hashes from the examples of Auth0's documentation. */
const documented: Example[] = [
  { what: 'md4 in base64', custom: hashed('md4', 'AbuUujgF0pPPkJPSFRTpmA=='), password: 'shh', strength: 'weak' },
  {
    what: 'sha256 behind a salt',
    custom: hashed('sha256', 'd24e794fce503c3ddb1cd1ba1dd5d9b250cf9917336a0316fefd87fecf79200f', {
      salt: { value: 'abc123', position: 'prefix' },
    }),
    password: 'shh',
    strength: 'weak',
  },
  {
    what: 'bcrypt',
    custom: { algorithm: 'bcrypt', hash: { value: '$2b$10$C9hB01.YxRSTcn/ZOOo4j.TW7xCKKFKBSF.C7E0xiUwumqIDqWUXG' } },
    password: 'shh',
    strength: 'strong',
  },
  {
    what: 'argon2id',
    custom: {
      algorithm: 'argon2',
      hash: { value: '$argon2id$v=19$m=65536,t=2,p=1$J6Q/82PCyaNpYKRELJyTZg$m04qUAB8rexWDR4+/0f+SFB+4XMFxt7YAvAq2UycYos' },
    },
    password: 'shh',
    strength: 'strong',
  },
  {
    what: 'pbkdf2 over md4',
    custom: text(
      'pbkdf2',
      '$pbkdf2-md4$i=100000,l=64$+N375B8q0Fw$fp2R9KAM4hK/votGHC5Fu+jhqbxUD8+Nic/EMSGvNC3UP/k7wSHI0uXluHRSkZfl/BOheYqNOemayG90ZaSSQw',
    ),
    password: 'shh',
    strength: 'weak',
  },
  {
    what: 'pbkdf2 over sha512',
    custom: {
      algorithm: 'pbkdf2',
      hash: {
        value:
          '$pbkdf2-sha512$i=100000,l=64$KNyFsA2rWoE$I2CQGI9H0JxdDf3kERRI97kPCGxh0KWBIV3MxyaS191gDGfzVBGyS4BibhgqWQ0/ails8mHuU9ckASxHOOq58w',
      },
    },
    password: 'shh',
    strength: 'strong',
  },
  {
    what: 'pbkdf2 without its parameters',
    custom: text(
      'pbkdf2',
      '$pbkdf2-sha512$KNyFsA2rWoE$I2CQGI9H0JxdDf3kERRI97kPCGxh0KWBIV3MxyaS191gDGfzVBGyS4BibhgqWQ0/ails8mHuU9ckASxHOOq58w',
    ),
    password: 'shh',
    strength: 'strong',
  },
  {
    what: 'ldap {SSHA384}',
    custom: text('ldap', '{SSHA384}/cgEjdoZh85DhurDeOQEMO1rMlAur93SVPbYe5XSD4lF7nNuvrBju5hUeg9A6agRemgSXGl5YuE='),
    password: 'shh',
    strength: 'weak',
  },
  {
    what: 'hmac of sha1',
    custom: {
      algorithm: 'hmac',
      hash: { value: 'cg7f42jH39/2EaAU4wNd4s2lKIk=', encoding: 'base64', digest: 'sha1', key: { value: '736868', encoding: 'hex' } },
    },
    password: 'test',
    strength: 'weak',
  },
  {
    what: 'scrypt',
    custom: hashed('scrypt', '097f6197e1b41538f723e32aa7a68e8d76227d8e432ce5faa4882a913032db29', {
      salt: { value: 'abc123', encoding: 'utf8' },
      keylen: 32,
      cost: 4096,
    }),
    password: 'password',
    strength: 'strong',
  },
]

const key = { value: 'key-é' }

/** Hashes made with Python's hashlib and OpenSSL's legacy provider. */
const made: Example[] = [
  {
    what: 'md4 before a salt',
    custom: hashed('md4', 'AB3BFC4FB64F00D9F1A573B2A9E7F348', { salt: { value: 'pepper', position: 'suffix' } }),
    strength: 'weak',
  },
  {
    what: 'md5 before a salt',
    custom: hashed('md5', '863706db2daa35911b9553708e70a392', { salt: { value: 'cGVwcGVy', encoding: 'base64', position: 'suffix' } }),
    strength: 'weak',
  },
  {
    what: 'sha1 of UTF-16',
    custom: hashed('sha1', '74ad835813e55ace877e9fe6ed4c1837b53b693c', {
      salt: { value: '0102FF', encoding: 'hex' },
      password: { encoding: 'ucs2' },
    }),
    strength: 'weak',
  },
  {
    what: 'sha512 of Latin-1',
    custom: hashed('sha512', 'ECf7iGzW4YTVEqOt9JVm46TOUV3LUrot_JKaZwguCQFlbIw373uXsWdoEXAt39T-GfQ8skgWAbfCNQiemDRqHw', {
      password: { encoding: 'binary' },
    }),
    strength: 'weak',
  },
  { what: 'ldap {SSHA256}', custom: text('ldap', '{SSHA256}3SU1qLM9ny2Ec43Czg7ozgWkw9duI4+XUt9+kDNes1dncmFpbg=='), strength: 'weak' },
  { what: 'ldap {SMD5}', custom: text('ldap', '{SMD5}wbqnUz6xWVzWheHEORgyIGdyYWlu'), strength: 'weak' },
  { what: 'ldap {sha}', custom: text('ldap', '{sha}/8wfRUGm8tTSBrWrjhQj2hPe5cw='), strength: 'weak' },
  {
    what: 'hmac of md4',
    custom: hmac('md4', '6b075abf88454d6efa0b1e695d315d16', { value: 'c2VjcmV0', encoding: 'base64' }),
    strength: 'weak',
  },
  { what: 'hmac of md5', custom: hmac('md5', '695f3a2de3cbe533ecb0ee070f3d3056', key), strength: 'weak' },
  {
    what: 'hmac of ripemd160',
    custom: hmac('ripemd160', '6caea34a7218b639cef68c62d5d3992cf6b191ff', { value: 'secret' }),
    strength: 'weak',
  },
  { what: 'hmac of sha224', custom: hmac('sha224', '4837e9fbd3bd3a3657575481502cc442362002fb2ae1425aff31cc35', key), strength: 'weak' },
  {
    what: 'hmac of sha256',
    custom: hmac('sha256', '1ff2540704d654f3b72ae5afe07a9033aea5c47051dde42c93497ea24637f26c', key),
    strength: 'weak',
  },
  {
    what: 'hmac of sha384',
    custom: hmac('sha384', '0fa723fe69e0fc83adde646f110745b8b7308b2059d015d74f0be91432f84f04db426e22f661674b28ed1b3506d088ac', key),
    strength: 'weak',
  },
  {
    what: 'hmac of sha512',
    custom: hmac(
      'sha512',
      '4af953dad2303eda64f331e536e93e738a661aa7dc062280e15841d54f7589570aec6b7ee8ce14a750eba4fcc89180efa606cc2ee6c69e07118753e0a81c166f',
      key,
    ),
    strength: 'weak',
  },
  {
    what: 'hmac of whirlpool',
    custom: hmac(
      'whirlpool',
      '674b2e73b4f3dd1f514f82358d4b1cebe7192c328eb72230ee2945c20e702fb709eb227bf5b66f6a2297bda82014b147fdb21cccfe5436e58068bc96112583f5',
      { value: 'secret' },
    ),
    strength: 'weak',
  },
  {
    what: 'pbkdf2 over sha1',
    custom: text('pbkdf2', '$pbkdf2-RSA-SHA1$i=1000,l=20$c2FsdHNhbHQ$teNN9ucWP3ZwJUPIHrHZWcKyE2E'),
    strength: 'weak',
  },
  {
    what: 'pbkdf2 over sha256',
    custom: text('pbkdf2', '$pbkdf2-sha256WithRSAEncryption$i=1000,l=32$c2FsdHNhbHQ$+8QlPBSfzvWwFsz9O9DVhj2yyGLGEWrnP99249VtBbk'),
    strength: 'weak',
  },
  {
    what: 'pbkdf2 over md5',
    custom: text(
      'pbkdf2',
      '$pbkdf2-ssl3-md5$i=1000,l=64$c2FsdHNhbHQ$sKkDCxDs1RKt3IHy7xfsQ4sugeRH2zRWZMkNfPt/KwsjNmomnGieGHS1B3d6yDvD4N2wiCIGwp09T5z7iJDWZA',
    ),
    strength: 'weak',
  },
  {
    what: 'pbkdf2 over ripemd160',
    custom: text('pbkdf2', '$pbkdf2-rmd160$i=1000,l=20$c2FsdHNhbHQ$rWxF+0qCnKPPyKpgCCm/S56PvUA'),
    strength: 'weak',
  },
  {
    what: 'pbkdf2 over whirlpool',
    custom: text(
      'pbkdf2',
      '$pbkdf2-whirlpool$i=1000,l=64$c2FsdHNhbHQ$oZPLyIVsxyPgYGO6c6R6bAS54ZmSUD87+CXJHtlDB6bYYBO51yvOTNZQ/P60lsi/evnaKVOIeFNMRJwfO1F1Cg',
    ),
    strength: 'weak',
  },
  {
    what: 'scrypt of two lanes',
    custom: hashed(
      'scrypt',
      'aaf65da2949640604b2a321ee9d7e7341096f438aafd5b97d77b88b9f46d0875caa70fb38dd38c4d256d687acb4529e7f574aedce85705f061d872024a22717d',
      { salt: { value: 'NaCl' }, keylen: 64, parallelization: 2 },
    ),
    strength: 'strong',
  },
  {
    what: 'bcrypt before a salt',
    custom: {
      algorithm: 'bcrypt',
      hash: { value: bcrypt.hashSync(`${password}pepper`, 4) },
      salt: { value: 'pepper', position: 'suffix' },
    },
    strength: 'strong',
  },
]

/** A hash of each algorithm that Auth0 imports, and of what there is to each. */
export const foreignHashes: readonly Example[] = [...documented, ...made]
