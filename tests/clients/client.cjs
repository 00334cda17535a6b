// The calls that an application makes; the suite checks what arrives.
const { PostHog } = require('posthog-node')

async function main() {
  const client = new PostHog('phc_node', { host: process.env.WEIR_CAPTURE, flushAt: 2 })
  client.capture({ distinctId: 'anon-1', event: 'looked' })
  client.alias({ distinctId: 'user-1', alias: 'anon-1' })
  client.identify({ distinctId: 'user-1', properties: { email: 'user-1@example.com' } })
  client.capture({ distinctId: 'user-1', event: 'bought', properties: { price: 12.5, title: 'Käse & 🧀' } })
  await client.shutdown()
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
