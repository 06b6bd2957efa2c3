// Keys of an application, which the parent has made and registered.

import { importJWK } from 'jose'

// A private JWK as the libraries sign with it.
export async function signingKey({ kid, alg, ...members }) {
  return { key: await importJWK(members, alg), kid }
}
