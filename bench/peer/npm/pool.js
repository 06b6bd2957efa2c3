// The tenants that were asked for last, each with its provider.

import { ask } from './database.js'
import { providerOf } from './provider.js'

const SIZE = 50
const TENANT = 'select slug, keys, clients, cookie_keys from tenants where slug = $1'

const known = new Map() // by host, the one that was used longest ago in front

async function build(host) {
  const [tenant] = await ask('tenant', TENANT, [host.split('.')[0]])
  if (tenant === undefined) return undefined
  const provider = providerOf(tenant, `http://${host}`)
  return { slug: tenant.slug, provider, handle: provider.callback() }
}

// A promise is kept, so that requests that come together build once.
export function tenantOf(host) {
  let found = known.get(host)
  if (found === undefined) {
    found = build(host)
    found.catch(() => known.delete(host))
  } else {
    known.delete(host)
  }
  known.set(host, found)
  if (known.size > SIZE) known.delete(known.keys().next().value)
  return found
}
