// What oidc-provider keeps, in one table: keyed by model and id, found by grant, user code and uid
// as in the adapters among its examples. Everything is held apart by tenant.

import { ask } from './database.js'

const UPSERT = `
  insert into payloads (tenant, model, id, payload, grant_id, user_code, uid, expires_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8)
  on conflict (tenant, model, id) do update
    set payload = excluded.payload, grant_id = excluded.grant_id, user_code = excluded.user_code,
        uid = excluded.uid, expires_at = excluded.expires_at`
const FIND = `
  select payload, consumed_at from payloads where tenant = $1 and model = $2 and id = $3`
const FIND_BY_UID = `
  select payload, consumed_at from payloads where tenant = $1 and model = $2 and uid = $3`
const FIND_BY_USER_CODE = `
  select payload, consumed_at from payloads where tenant = $1 and model = $2 and user_code = $3`
const CONSUME = `
  update payloads set consumed_at = now() where tenant = $1 and model = $2 and id = $3`
const DESTROY = 'delete from payloads where tenant = $1 and model = $2 and id = $3'
const REVOKE = 'delete from payloads where tenant = $1 and model = $2 and grant_id = $3'

function read([row]) {
  if (row === undefined) return undefined
  return row.consumed_at === null ? row.payload : { ...row.payload, consumed: true }
}

export function adapterOf(tenant) {
  return class Adapter {
    constructor(model) {
      this.model = model
    }

    async upsert(id, payload, expiresIn) {
      const { grantId, userCode, uid } = payload
      const end = expiresIn ? new Date(Date.now() + expiresIn * 1000) : null
      await ask('upsert', UPSERT, [tenant, this.model, id, payload, grantId, userCode, uid, end])
    }

    // Clients are given to the provider when it is made; to look for others would be a trip in vain.
    async find(id) {
      if (this.model === 'Client') return undefined
      return read(await ask('find', FIND, [tenant, this.model, id]))
    }

    async findByUid(uid) {
      return read(await ask('find by uid', FIND_BY_UID, [tenant, this.model, uid]))
    }

    async findByUserCode(userCode) {
      return read(await ask('find by code', FIND_BY_USER_CODE, [tenant, this.model, userCode]))
    }

    async consume(id) {
      await ask('consume', CONSUME, [tenant, this.model, id])
    }

    async destroy(id) {
      await ask('destroy', DESTROY, [tenant, this.model, id])
    }

    async revokeByGrantId(grantId) {
      await ask('revoke', REVOKE, [tenant, this.model, grantId])
    }
  }
}
