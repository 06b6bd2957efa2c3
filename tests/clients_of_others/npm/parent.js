// The parent opens addresses in a browser for the application: a line {"open": url} goes out, a line
// with the address where the browser ended comes back. The last line is what the application has
// learnt.

import dns from 'node:dns'
import readline from 'node:readline'

// Names under localhost are this machine (RFC 6761), which browsers know and Node.js does not.
const { lookup } = dns
dns.lookup = (name, ...rest) => lookup(name.endsWith('.localhost') ? '127.0.0.1' : name, ...rest)

const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const say = (value) => process.stdout.write(JSON.stringify(value) + '\n')
const hear = async () => JSON.parse((await lines.next()).value)

export async function browse(url) {
  say({ open: url.href })
  return new URL(await hear())
}

// Do the one of *acts* that the parent names.
export async function obey(acts) {
  const asked = await hear()
  say(await acts[asked.act](asked))
  process.exit()
}
