// The people of a tenant.

import { ask } from './database.js'

const BY_ID = 'select * from accounts where tenant = $1 and id = $2'
const BY_NAME = 'select id from accounts where tenant = $1 and username = $2'

export async function idOf(tenant, username) {
  const [row] = await ask('account by name', BY_NAME, [tenant, username])
  return row?.id
}

// What oidc-provider calls an account.
export async function load(tenant, id) {
  const [row] = await ask('account', BY_ID, [tenant, id])
  if (row === undefined) return undefined
  return {
    accountId: id,
    claims: async () => ({
      sub: id,
      name: row.display_name,
      preferred_username: row.username,
      email: row.email,
      email_verified: false,
    }),
  }
}
