// The one way to the database, which counts how often it is taken.

import pg from 'pg'

const pool = new pg.Pool({ connectionString: process.env.PEER_DATABASE_URL, max: 16 })

export const trips = { made: 0 }

// A statement with a name is prepared once for each connection.
export async function ask(name, text, values) {
  trips.made += 1
  const { rows } = await pool.query({ name, text, values })
  return rows
}
