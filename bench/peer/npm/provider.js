// One tenant's provider, set up as its documentation advises for production.

import Provider, { interactionPolicy } from 'oidc-provider'

import { load } from './accounts.js'
import { adapterOf } from './adapter.js'

const HOUR = 3600
const DAY = 24 * HOUR
const API = 'https://api.example/reports'

// Every application is the tenant's own: nobody is asked for consent, also where it is asked for.
function policy() {
  const prompts = interactionPolicy.base()
  prompts.get('consent').checks.remove('consent_prompt')
  return prompts
}

async function loadExistingGrant(ctx) {
  const { client, provider, session } = ctx.oidc
  const known = session.grantIdFor(client.clientId)
  if (known) return provider.Grant.find(known)
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId })
  grant.addOIDCScope('openid profile email offline_access')
  await grant.save()
  return grant
}

// Programs have tokens for the API, as JWT; people's applications have theirs for userinfo.
const resourceIndicators = {
  enabled: true,
  defaultResource: (ctx, client) => (client.responseTypes.length === 0 ? API : undefined),
  getResourceServerInfo: () => ({
    scope: 'reports:read',
    audience: API,
    accessTokenFormat: 'jwt',
    accessTokenTTL: HOUR,
    jwt: { sign: { alg: 'ES256' } },
  }),
}

export function providerOf(tenant, issuer) {
  const provider = new Provider(issuer, {
    adapter: adapterOf(tenant.slug),
    clients: tenant.clients,
    jwks: { keys: tenant.keys },
    cookies: { keys: tenant.cookie_keys },
    findAccount: (ctx, id) => load(tenant.slug, id),
    loadExistingGrant,
    interactions: { policy: policy(), url: (ctx, interaction) => `/interaction/${interaction.uid}` },
    claims: {
      openid: ['sub'],
      profile: ['name', 'preferred_username'],
      email: ['email', 'email_verified'],
    },
    rotateRefreshToken: true,
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: async () => true },
      revocation: { enabled: true },
      resourceIndicators,
    },
    // Where Insula has them, so that both get the same requests.
    routes: {
      authorization: '/oauth2/authorize',
      token: '/oauth2/token',
      userinfo: '/oauth2/userinfo',
      jwks: '/oauth2/jwks',
      introspection: '/oauth2/introspect',
      pushed_authorization_request: '/oauth2/par',
    },
    ttl: {
      AccessToken: HOUR,
      AuthorizationCode: 60,
      ClientCredentials: HOUR,
      Grant: 14 * DAY,
      IdToken: HOUR,
      Interaction: HOUR,
      RefreshToken: 14 * DAY,
      Session: 14 * DAY,
    },
  })
  provider.on('server_error', (ctx, error) => console.error(error))
  return provider
}
