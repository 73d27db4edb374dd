import type { Culture } from './culture.ts'
import { pick, type Random } from './random.ts'

const interests = ['cycling', 'chess', 'cooking', 'films', 'gardening', 'music', 'running']

/** What a made-up person keeps in `userMetadata`. */
export function preferencesOf(culture: Culture, random: Random) {
  const liked = [70, 71, 72].slice(random(73, 3)).map((salt) => pick(interests, random(salt, interests.length)))
  return {
    language: culture.locale.slice(0, 2),
    newsletter: random(74, 3) === 0,
    theme: pick(['light', 'dark', 'system'], random(75, 3)),
    interests: [...new Set(liked)],
    ...(random(76, 2) === 0 ? { address: { city: culture.city, country: culture.country } } : {}),
  }
}

/** What administrators keep of them in `appMetadata`: a tenth is in the plan `team`, and a tenant has twenty users in a million. */
export function accountOf(random: Random) {
  return {
    plan: pick(['free', 'free', 'free', 'free', 'free', 'free', 'free', 'pro', 'pro', 'team'], random(80, 10)),
    roles: random(81, 50) === 0 ? ['member', 'admin'] : ['member'],
    credits: random(82, 1000),
    tenant: `tenant-${random(83, 50_000)}`,
    ...(random(84, 10) === 0 ? { flags: { beta: true } } : {}),
  }
}
